// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Waiting calls leave in order, within the limits. */
class WaitingTest {
  private static final int LARGE = 1 << 20;

  private static Call call(String id) {
    return new Call(Requests.call(id), null, null);
  }

  private static List<String> ids(List<Call> calls) {
    return calls.stream().map(Call::id).collect(Collectors.toList());
  }

  @Test
  void callsLeaveInOrderSoManyAtATime() {
    Waiting waiting = new Waiting(2, LARGE);
    List.of("a", "b", "c").forEach(id -> waiting.add(call(id)));
    assertEquals(List.of("a", "b"), ids(waiting.takeTogether()));
    assertEquals(List.of("c"), ids(waiting.takeTogether()));
    assertFalse(waiting.hasTogether());
  }

  @Test
  void bytesAreLimitedButASingleCallAlwaysLeaves() {
    int each = call("a").size + Frames.CALL_HEAD;
    Waiting waiting = new Waiting(100, 2 * each);
    List.of("a", "b", "c").forEach(id -> waiting.add(call(id)));
    assertEquals(List.of("a", "b"), ids(waiting.takeTogether()));
    Waiting tight = new Waiting(100, 1);
    List.of("a", "b").forEach(id -> tight.add(call(id)));
    assertEquals(List.of("a"), ids(tight.takeTogether()));
  }

  @Test
  void thoseApartLeaveOneByOne() {
    Waiting waiting = new Waiting(100, LARGE);
    for (String id : List.of("a", "b")) {
      Call call = call(id);
      call.apart = true;
      waiting.add(call);
    }
    waiting.add(call("c"));
    assertEquals(2, waiting.apart());
    assertEquals(List.of("a"), ids(waiting.takeApart()));
    assertEquals(List.of("c", "b"), ids(waiting.drain()));
    assertEquals(0, waiting.apart());
    assertTrue(waiting.drain().isEmpty());
  }
}
