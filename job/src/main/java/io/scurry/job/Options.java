// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.util.TimeUtils;

/** The launcher's command line. */
final class Options {
  static final String USAGE =
      "io.scurry.job.Main [--module FILE] [--data DIR] [--ui-port PORT|-1] [--parallelism N]"
          + " [--checkpoint-interval 5s] [-D key=value]...";

  String module = "classpath:module.yaml";

  /** Where an embedded job keeps its checkpoints; null: the job runs on the Flink cluster it was submitted to. */
  Path data;

  /** Port of Flink's web UI; 0: a free one, -1: none. */
  int uiPort = 8081;

  /** Null: not given. */
  Integer parallelism;

  /** Null: not given. */
  Duration checkpointInterval;

  final Map<String, String> flink = new LinkedHashMap<>();

  static Options parse(String... args) {
    Options options = new Options();
    for (int i = 0; i < args.length; i++) {
      String name = args[i];
      if (name.startsWith("-D") && name.length() > 2) {
        options.define(name.substring(2));
        continue;
      }
      if (i + 1 == args.length) {
        throw new Misconfigured("The option " + name + " lacks a value or is unknown; usage: " + USAGE + ".");
      }
      options.set(name, args[++i]);
    }
    return options;
  }

  private void set(String name, String value) {
    switch (name) {
      case "--module":
        module = value;
        break;
      case "--data":
        data = Path.of(value).toAbsolutePath().normalize();
        break;
      case "--ui-port":
        uiPort = number(name, value, -1, 65535);
        break;
      case "--parallelism":
        parallelism = number(name, value, 1, 4096);
        break;
      case "--checkpoint-interval":
        checkpointInterval = duration(name, value);
        break;
      case "-D":
        define(value);
        break;
      default:
        throw new Misconfigured("The option " + name + " is unknown; usage: " + USAGE + ".");
    }
  }

  private void define(String pair) {
    int equals = pair.indexOf('=');
    if (equals <= 0) {
      throw new Misconfigured("-D takes key=value, not '" + pair + "'.");
    }
    flink.put(pair.substring(0, equals).trim(), pair.substring(equals + 1).trim());
  }

  private static int number(String name, String value, int least, int most) {
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new Misconfigured(name + " takes a number from " + least + " to " + most + ", not '" + value + "'.");
  }

  private static Duration duration(String name, String value) {
    try {
      Duration duration = TimeUtils.parseDuration(value);
      if (duration.toMillis() >= 100) {
        return duration;
      }
    } catch (IllegalArgumentException | ArithmeticException e) {
      // said below
    }
    throw new Misconfigured(name + " takes a duration of at least 100ms such as 5s, not '" + value + "'.");
  }
}
