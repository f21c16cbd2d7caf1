// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@code INFO memory} says, in bytes. */
final class RedisMemory {
  private RedisMemory() {}

  static String used(String info) {
    return field(info, "used_memory");
  }

  /** What Redis may take: its maxmemory, else what its machine has. */
  static String most(String info) {
    String limit = field(info, "maxmemory");
    return limit.equals("0") ? field(info, "total_system_memory") : limit;
  }

  private static String field(String info, String name) {
    Matcher found = Pattern.compile("(?m)^" + name + ":(\\d+)\\s*$").matcher(info);
    return found.find() ? found.group(1) : "0";
  }
}
