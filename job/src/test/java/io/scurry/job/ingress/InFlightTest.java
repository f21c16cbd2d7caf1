// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The bound on requests that are emitted and not answered. */
class InFlightTest {
  private long now;
  private InFlight inFlight;

  @BeforeEach
  void start() {
    inFlight = new InFlight(List.of("r", "b"), "b", 100, 10, () -> now);
    inFlight.observe(Map.of("r", 1000L));
  }

  @Test
  void whatWasAnsweredBeforeTheStartDoesNotCount() {
    assertEquals(100, inFlight.room());
    inFlight.emitted("r", 30);
    assertEquals(70, inFlight.room());
  }

  @Test
  void theBoundMayBeLowerForAWhile() {
    inFlight.bound(20);
    inFlight.emitted("r", 15);
    assertEquals(5, inFlight.room());
    inFlight.bound(100);
    assertEquals(85, inFlight.room());
  }

  @Test
  void answersMakeRoom() {
    inFlight.emitted("r", 100);
    assertEquals(0, inFlight.room());
    inFlight.observe(Map.of("r", 1040L));
    assertEquals(40, inFlight.room());
  }

  @Test
  void bulkHasAWindowOfItsOwnInsideTheBound() {
    inFlight.emitted("b", 8);
    assertEquals(2, inFlight.bulkRoom());
    inFlight.emitted("r", 91);
    assertEquals(1, inFlight.bulkRoom());
    inFlight.observe(Map.of("r", 1091L, "b", 8L));
    assertEquals(10, inFlight.bulkRoom());
  }

  @Test
  void answersToEarlierRunsNeverMakeTheCountNegative() {
    inFlight.emitted("r", 10);
    inFlight.observe(Map.of("r", 1500L));
    assertEquals(0, inFlight.outstanding());
    inFlight.emitted("r", 10);
    assertEquals(10, inFlight.outstanding());
  }

  @Test
  void aDeletedCounterIsNoAnswer() {
    inFlight.emitted("r", 10);
    inFlight.observe(Map.of());
    assertEquals(10, inFlight.outstanding());
    inFlight.observe(Map.of("r", 4L));
    assertEquals(6, inFlight.outstanding());
  }

  @Test
  void aBoundAtWhichNothingMovesIsCountedAnew() {
    inFlight.emitted("r", 100);
    now += InFlight.STUCK_NANOS - 1;
    inFlight.observe(Map.of("r", 1000L));
    assertEquals(0, inFlight.room());
    now += 1;
    inFlight.observe(Map.of("r", 1000L));
    assertEquals(100, inFlight.room());
    assertEquals(1, inFlight.rebased());
  }

  @Test
  void withoutTheBulkStreamThereIsNoBulkRoom() {
    InFlight other = new InFlight(List.of("r"), "b", 100, 10, () -> now);
    assertFalse(other.readsBulk());
    assertEquals(0, other.bulkRoom());
  }
}
