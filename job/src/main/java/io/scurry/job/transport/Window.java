// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.util.ArrayDeque;

/**
 * The exchanges that hold up the next one: so many, as long as they are young.
 *
 * <p>While the window is full calls gather, and leave together. An exchange that is late, because a model in it is slow,
 * holds up nobody.
 */
final class Window {
  private final int size;
  private final long late;
  private final ArrayDeque<Exchange> punctual = new ArrayDeque<>();

  Window(int size, long lateNanos) {
    this.size = size;
    this.late = lateNanos;
  }

  /** Exchanges that may begin now. */
  int room(long now) {
    while (!punctual.isEmpty() && now - punctual.peekFirst().started >= late) {
      punctual.pollFirst();
    }
    return size - punctual.size();
  }

  void add(Exchange exchange) {
    punctual.add(exchange);
  }

  void remove(Exchange exchange) {
    punctual.remove(exchange);
  }

  /** Nanoseconds until the oldest exchange is late. */
  long untilLate(long now) {
    return punctual.isEmpty() ? 0 : Math.max(0, late - (now - punctual.peekFirst().started));
  }

  @Override
  public String toString() {
    return punctual.size() + " of " + size + " in flight";
  }
}
