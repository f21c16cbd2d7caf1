// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** The calls that wait for one process, in the order they came: those that share an exchange, and those that must not. */
final class Waiting {
  private final int maxCalls;
  private final int maxBytes;
  private final ArrayDeque<Call> together = new ArrayDeque<>();
  private final ArrayDeque<Call> apart = new ArrayDeque<>();

  Waiting(int maxCalls, int maxBytes) {
    this.maxCalls = maxCalls;
    this.maxBytes = maxBytes;
  }

  void add(Call call) {
    (call.apart ? apart : together).add(call);
  }

  boolean hasTogether() {
    return !together.isEmpty();
  }

  /** How many exchanges it takes to send those that travel alone. */
  int apart() {
    return apart.size();
  }

  /** The next call that travels alone. */
  List<Call> takeApart() {
    return List.of(apart.poll());
  }

  /** The next calls that travel together, as many as the limits allow and at least one. */
  List<Call> takeTogether() {
    List<Call> batch = new ArrayList<>(Math.min(together.size(), maxCalls));
    long bytes = 0;
    while (!together.isEmpty() && batch.size() < maxCalls) {
      bytes += Frames.CALL_HEAD + together.peek().size;
      if (bytes > maxBytes && !batch.isEmpty()) {
        break;
      }
      batch.add(together.poll());
    }
    return batch;
  }

  /** Takes all. */
  List<Call> drain() {
    List<Call> all = new ArrayList<>(together);
    all.addAll(apart);
    together.clear();
    apart.clear();
    return all;
  }

  @Override
  public String toString() {
    return together.size() + apart.size() + " waiting";
  }
}
