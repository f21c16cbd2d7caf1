// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import org.apache.flink.util.SerializedThrowable;

/** Boils a chain of causes down to one sentence. */
final class Causes {
  private Causes() {}

  /** Our own words if there are any, else those of the innermost cause. */
  static String of(Throwable failure) {
    Throwable last = failure;
    String ours = null;
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof Misconfigured) {
        return t.getMessage();
      }
      if (isOurs(t)) {
        ours = t.getMessage();
      }
      last = t;
    }
    return oneLine(ours != null ? ours.replaceFirst("^[\\w.]+Misconfigured: ", "") : describe(last));
  }

  /** Whether it fails because something is set wrongly, so that to start again would not help. */
  static boolean isMisconfigured(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof Misconfigured || isOurs(t)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isOurs(Throwable t) {
    return t instanceof SerializedThrowable
        && ((SerializedThrowable) t).getOriginalErrorClassName().equals(Misconfigured.class.getName());
  }

  private static String describe(Throwable t) {
    if (t == null) {
      return "no reason was given";
    }
    String message = t.getMessage();
    return message == null || message.indexOf(' ') < 0 ? t.toString() : message;
  }

  private static String oneLine(String text) {
    String line = text.strip().lines().findFirst().orElse("").strip();
    return line.endsWith(".") ? line : line + ".";
  }
}
