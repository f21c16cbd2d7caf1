// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Checkpoints that never complete end the reading before a replay could answer twice. */
class CheckpointAgeTest {
  private static final long SECOND = 1_000_000_000L;
  private long now = 5;
  private final CheckpointAge age = new CheckpointAge(Duration.ofSeconds(10), () -> now);

  @Test
  void itIsTooHighOncePatienceIsOverAndFineAfterTheNextThatCompletes() {
    for (int i = 0; i <= 10; i++) {
      age.begun();
      assertFalse(age.isTooHigh());
      now += SECOND;
    }
    assertTrue(age.isTooHigh());
    age.completed();
    assertFalse(age.isTooHigh());
  }

  @Test
  void withoutCheckpointsThereIsNoAge() {
    now += 1_000 * SECOND;
    assertFalse(age.isTooHigh());
    age.begun();
    age.completed();
    now += 1_000 * SECOND;
    assertFalse(age.isTooHigh());
  }
}
