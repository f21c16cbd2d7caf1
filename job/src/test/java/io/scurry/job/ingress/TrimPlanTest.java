// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** How far a stream may be trimmed, and what a position says about gaps. */
class TrimPlanTest {
  private static final long MINUTE = 60_000;
  private final TrimPlan plan = new TrimPlan(2, Duration.ofMinutes(10), 1_000);

  private void completed(long checkpoint, long millis, long bytes) {
    plan.snapshot(checkpoint, EntryId.at(millis), bytes);
    plan.complete(checkpoint);
  }

  @Test
  void nothingGoesBeforeEnoughCheckpointsAreComplete() {
    completed(1, 100 * MINUTE, 0);
    plan.snapshot(2, EntryId.at(101 * MINUTE), 0);
    assertNull(plan.keepFrom(200 * MINUTE, 0));
    plan.complete(2);
    assertNotNull(plan.keepFrom(200 * MINUTE, 0));
  }

  @Test
  void oldEntriesGoOnlyUpToTheOldestRetainedCheckpoint() {
    completed(1, 100 * MINUTE, 0);
    completed(2, 101 * MINUTE, 0);
    completed(3, 102 * MINUTE, 0);
    assertEquals(EntryId.at(101 * MINUTE), plan.keepFrom(200 * MINUTE, 0));
  }

  @Test
  void youngEntriesStay() {
    completed(1, 100 * MINUTE, 0);
    completed(2, 101 * MINUTE, 0);
    assertEquals(EntryId.at(95 * MINUTE), plan.keepFrom(105 * MINUTE, 0));
  }

  @Test
  void youngEntriesGoWhenTooMuchLiesBehind() {
    completed(1, 100 * MINUTE, 0);
    completed(2, 101 * MINUTE, 500);
    completed(3, 102 * MINUTE, 2_000);
    completed(4, 103 * MINUTE, 2_100);
    assertEquals(EntryId.at(101 * MINUTE), plan.keepFrom(103 * MINUTE, 2_100));
  }

  @Test
  void sizeNeverTrimsBeyondTheRetainedCheckpoints() {
    completed(1, 100 * MINUTE, 0);
    completed(2, 101 * MINUTE, 1);
    assertEquals(EntryId.at(100 * MINUTE), plan.keepFrom(101 * MINUTE, 50_000));
  }

  @Test
  void checkpointsThatNeverCompletedDoNotCount() {
    completed(1, 100 * MINUTE, 0);
    plan.snapshot(2, EntryId.at(101 * MINUTE), 0);
    completed(3, 102 * MINUTE, 0);
    assertEquals(EntryId.at(100 * MINUTE), plan.keepFrom(200 * MINUTE, 0));
  }

  @Test
  void entryIdsCompareAsUnsignedNumbers() {
    EntryId largest = EntryId.parse("18446744073709551615-18446744073709551615");
    assertTrue(largest.compareTo(EntryId.parse("1-1")) > 0);
    assertTrue(EntryId.parse("2-1").compareTo(EntryId.parse("2-2")) < 0);
    assertEquals("18446744073709551615-18446744073709551615", largest.toString());
    assertEquals(EntryId.parse("5"), EntryId.parse("5-0"));
  }

  @Test
  void aPositionIsContinuedOnlyWhereNothingIsMissing() {
    Position start = Position.start("s");
    Position five = new Position("s", EntryId.parse("5-0"), 5);
    assertNull(new StreamFacts(false, 0, EntryId.ZERO, 0).gap(start, false));
    assertNull(new StreamFacts(true, 3, EntryId.parse("3-0"), 3).gap(start, false));
    assertNotNull(new StreamFacts(true, 3, EntryId.parse("9-0"), 4).gap(start, false));
    assertNull(new StreamFacts(true, 3, EntryId.parse("9-0"), -1).gap(start, false));
    assertNull(new StreamFacts(true, 3, EntryId.parse("9-0"), 9).gap(five, true));
    assertNotNull(new StreamFacts(true, 3, EntryId.parse("9-0"), 9).gap(five, false));
    assertNull(new StreamFacts(true, 0, EntryId.parse("5-0"), 9).gap(five, false));
    assertNotNull(new StreamFacts(true, 3, EntryId.parse("4-0"), 9).gap(five, true));
    assertNotNull(new StreamFacts(false, 0, EntryId.ZERO, 0).gap(five, false));
  }
}
