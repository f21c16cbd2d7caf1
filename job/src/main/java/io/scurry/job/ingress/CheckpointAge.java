// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * For how long checkpoints have been begun and none has completed.
 *
 * <p>Meanwhile streams are not trimmed and parked inputs not deleted, and a restart would replay all of it: past the
 * markers' life it would answer twice. So there is an alarm, and in the end nothing more is read.
 */
final class CheckpointAge {
  private static final Logger LOG = LoggerFactory.getLogger(CheckpointAge.class);
  private static final int ALARMS = 5;

  private final Duration patience;
  private final LongSupplier clock;
  /** When the first checkpoint after the last completed one began; 0: none has begun. */
  private volatile long since;

  CheckpointAge(Duration patience, LongSupplier clock) {
    this.patience = patience;
    this.clock = clock;
  }

  void begun() {
    long now = clock.getAsLong();
    if (since == 0) {
      since = now | 1;
    } else if (now - since > patience.toNanos() / ALARMS) {
      LOG.error("No checkpoint has completed for {} s; after {} s nothing more is read. Is the disk full?",
          (now - since) / 1_000_000_000L, patience.toSeconds());
    }
  }

  void completed() {
    since = 0;
  }

  boolean isTooHigh() {
    long began = since;
    return began != 0 && clock.getAsLong() - began > patience.toNanos();
  }
}
