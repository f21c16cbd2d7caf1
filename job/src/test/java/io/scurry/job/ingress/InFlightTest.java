// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The bound on what is emitted and not answered, and each model's part of it. */
class InFlightTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long BODY = 1024 - InFlight.OVERHEAD;
  private static final long MOST = 1024 * 10_000;

  private final Map<String, Long> counters = new HashMap<>(Map.of("r", 1000L));
  private long now;
  private InFlight inFlight;

  @BeforeEach
  void start() {
    inFlight = new InFlight(List.of("r", "b"), "b", MOST, 10, () -> now);
    look();
  }

  private void look() {
    inFlight.observe(counters, inFlight.holders());
  }

  private void emit(String model, int requests) {
    for (int i = 0; i < requests; i++) {
      inFlight.emitted("r", model, BODY);
    }
  }

  /** Emits what is not surplus; returns how many those were. */
  private int saturate(String model) {
    int emitted = 0;
    for (; !inFlight.isSurplus(model, BODY); emitted++) {
      emit(model, 1);
    }
    return emitted;
  }

  private void answer(String model, long requests) {
    counters.merge("r", requests, Long::sum);
    counters.merge(model, requests, Long::sum);
    look();
  }

  @Test
  void whatWasAnsweredBeforeTheStartDoesNotCount() {
    emit("m", 30);
    look();
    assertEquals(30, inFlight.outstanding());
    assertEquals(30 * 1024, inFlight.bytes());
  }

  @Test
  void answersMakeRoom() {
    emit("m", 100);
    answer("m", 40);
    assertEquals(60, inFlight.outstanding());
    assertEquals(60 * 1024, inFlight.bytes());
  }

  @Test
  void oneModelMayHoldHalfAndLeavesAsMuchForAnother() {
    int first = saturate("slow");
    int second = saturate("other");
    assertEquals(5_000, first);
    assertEquals(2_500, second);
    assertFalse(inFlight.isFull());
  }

  @Test
  void fiftySaturatedModelsLeaveRoomForAQuickOne() {
    for (int round = 0; round < 50; round++) {
      for (int model = 0; model < 50; model++) {
        String name = "slow" + model;
        for (int i = 0; i < 40 && !inFlight.isSurplus(name, BODY); i++) {
          emit(name, 1);
        }
      }
    }
    assertFalse(inFlight.isFull());
    assertTrue(inFlight.isSurplus("slow0", BODY));
    for (int i = 0; i < 1000; i++) {
      assertFalse(inFlight.isSurplus("quick", BODY));
      emit("quick", 10);
      answer("quick", 10);
    }
  }

  @Test
  void largeBodiesCountForWhatTheyAre() {
    inFlight.emitted("r", "large", 6_000 * 1024);
    assertTrue(inFlight.isSurplus("large", 6_000 * 1024));
    inFlight.emitted("r", "large", 4_000 * 1024);
    assertTrue(inFlight.isFull());
  }

  @Test
  void whenNothingIsAnsweredCountingNeverStartsAnew() {
    emit("m", 10_000);
    for (int minute = 0; minute < 60; minute++) {
      now += 60 * SECOND;
      look();
      assertTrue(inFlight.isFull());
      assertFalse(inFlight.isAnswering());
    }
    assertEquals(0, inFlight.lost());
    answer("m", 1);
    assertTrue(inFlight.isAnswering());
    assertEquals(9_999, inFlight.outstanding());
    assertEquals(9_999 * 1024, inFlight.bytes());
  }

  @Test
  void aLostCounterIsNoticedByItsAbsence() {
    emit("m", 900);
    counters.remove("r");
    look();
    assertEquals(0, inFlight.outstanding());
    assertEquals(0, inFlight.bytes());
    assertEquals(1, inFlight.lost());
    emit("m", 10);
    counters.put("r", 4L);
    look();
    assertEquals(6, inFlight.outstanding());
    counters.put("r", 1L);
    look();
    assertEquals(2, inFlight.lost());
  }

  @Test
  void answersToEarlierRunsNeverMakeTheCountNegative() {
    emit("m", 10);
    answer("m", 500);
    assertEquals(0, inFlight.outstanding());
    assertEquals(0, inFlight.bytes());
    emit("m", 10);
    assertEquals(10, inFlight.outstanding());
  }

  @Test
  void aModelWhoseAnswersAreNotCountedIsForgottenAfterAMinuteInWhichOthersWereAnswered() {
    emit("nobody", 4_900);
    emit("m", 100);
    for (int second = 0; second < 61; second++) {
      now += SECOND;
      counters.merge("r", 8L, Long::sum);
      answer("m", 1);
    }
    now += 2;
    answer("m", 1);
    assertFalse(inFlight.isSurplus("nobody", BODY));
    assertEquals(List.of("m"), List.copyOf(inFlight.holders()));
  }

  @Test
  void aModelIsAStrangerUntilItsCounterWasLookedAt() {
    assertEquals(List.of("m"), List.copyOf(inFlight.strangers(List.of("m"))));
    counters.put("m", 70L);
    inFlight.observe(counters, List.of("m"));
    assertEquals(List.of(), List.copyOf(inFlight.strangers(List.of("m"))));
    emit("m", 20);
    answer("m", 5);
    assertEquals(15 * 1024, inFlight.bytes());
  }

  @Test
  void thePaceAfterAStartBoundsRequests() {
    inFlight.bound(20);
    emit("m", 15);
    assertEquals(5, inFlight.room());
    emit("m", 5);
    assertTrue(inFlight.isFull());
    inFlight.unbound();
    assertFalse(inFlight.isFull());
  }

  @Test
  void bulkHasAWindowOfItsOwn() {
    for (int i = 0; i < 8; i++) {
      inFlight.emitted("b", "m", BODY);
    }
    assertEquals(2, inFlight.bulkRoom());
    counters.put("b", 8L);
    look();
    assertEquals(10, inFlight.bulkRoom());
    InFlight other = new InFlight(List.of("r"), "b", MOST, 10, () -> now);
    assertFalse(other.readsBulk());
    assertEquals(0, other.bulkRoom());
  }
}
