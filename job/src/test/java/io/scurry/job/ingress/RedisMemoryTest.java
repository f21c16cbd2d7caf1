// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** How full Redis is. */
class RedisMemoryTest {
  private static final String INFO =
      "# Memory\r\nused_memory:1048576\r\nused_memory_human:1.00M\r\ntotal_system_memory:99\r\nmaxmemory:%s\r\n";

  @Test
  void theLimitIsMaxmemoryOrElseTheMachines() {
    assertEquals("1048576", RedisMemory.used(String.format(INFO, "7")));
    assertEquals("7", RedisMemory.most(String.format(INFO, "7")));
    assertEquals("99", RedisMemory.most(String.format(INFO, "0")));
    assertEquals("0", RedisMemory.used(""));
  }
}
