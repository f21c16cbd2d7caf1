// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Ranks are stable, even, and move as little as possible. */
class RendezvousTest {
  private static final int KEYS = 10_000;

  private static long[] seeds(int count) {
    return IntStream.range(0, count).mapToLong(i -> Rendezvous.hash("worker-" + i + ":8110")).toArray();
  }

  private static String key(int i) {
    return "model-" + i + "@1";
  }

  @Test
  void everyProcessIsRankedOnce() {
    int[] order = Rendezvous.rank(key(1), seeds(7));
    assertArrayEquals(IntStream.range(0, 7).toArray(), Arrays.stream(order).sorted().toArray());
  }

  @Test
  void theSameKeyIsRankedAlikeWhateverTheOrderOfTheList() {
    long[] seeds = seeds(5);
    long[] reversed = IntStream.range(0, 5).mapToLong(i -> seeds[4 - i]).toArray();
    int[] mirrored = Arrays.stream(Rendezvous.rank(key(9), reversed)).map(i -> 4 - i).toArray();
    assertArrayEquals(Rendezvous.rank(key(9), seeds), mirrored);
  }

  @Test
  void keysAreSpreadEvenlyOnEveryRank() {
    for (int rank = 0; rank < 4; rank++) {
      int[] counts = new int[4];
      for (int i = 0; i < KEYS; i++) {
        counts[Rendezvous.rank(key(i), seeds(4))[rank]]++;
      }
      for (int count : counts) {
        assertEquals(KEYS / 4.0, count, KEYS * 0.02);
      }
    }
  }

  @Test
  void aProcessThatLeavesMovesOnlyItsOwnShareAndThatEvenly() {
    long[] all = seeds(5);
    long[] fewer = LongStream.of(all).limit(4).toArray();
    int[] inherited = new int[4];
    for (int i = 0; i < KEYS; i++) {
      int[] before = Rendezvous.rank(key(i), all);
      int after = Rendezvous.rank(key(i), fewer)[0];
      if (before[0] == 4) {
        assertEquals(before[1], after);
        inherited[after]++;
      } else {
        assertEquals(before[0], after);
      }
    }
    for (int count : inherited) {
      assertTrue(count > KEYS / 5 / 4 * 0.8, () -> "uneven: " + Arrays.toString(inherited));
    }
  }
}
