// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.time.Duration;

/** How long to wait after the n-th failure in a row: doubling between two bounds. */
final class Backoff {
  private final long first;
  private final long last;

  Backoff(Duration first, Duration last) {
    this.first = first.toMillis();
    this.last = last.toMillis();
  }

  /** Milliseconds to wait after this many failures in a row, of which there is at least one. */
  long millis(int failures) {
    int doublings = Math.min(Math.max(failures - 1, 0), 20);
    return Math.min(first << doublings, last);
  }
}
