// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * How many requests this subtask emitted that are not answered yet, and how many more it may emit; pure.
 *
 * <p>The egress counts answers per stream in Redis, so the bound holds across TaskManagers. The count may drift (a
 * replay answered twice, a counter deleted): it starts anew when it would be negative, and when nothing has moved for
 * {@link #STUCK_NANOS} while the bound was reached.
 */
final class InFlight {
  static final long STUCK_NANOS = 30_000_000_000L;

  private static final class Count {
    long emitted;
    long answered;
    boolean known;
  }

  private final Map<String, Count> counts = new HashMap<>();
  private final String bulk;
  private long limit;
  private final long window;
  private final LongSupplier clock;
  private long moved;
  private long rebased;

  InFlight(Iterable<String> streams, String bulk, long limit, long window, LongSupplier clock) {
    streams.forEach(stream -> counts.put(stream, new Count()));
    this.bulk = bulk;
    this.limit = limit;
    this.window = window;
    this.clock = clock;
    this.moved = clock.getAsLong();
  }

  /** The bound from now on. */
  void bound(long requests) {
    limit = requests;
  }

  void emitted(String stream, int requests) {
    counts.get(stream).emitted += requests;
  }

  /** Takes the counters of the egress; true when any has moved. */
  boolean observe(Map<String, Long> answered) {
    boolean any = false;
    for (Map.Entry<String, Count> entry : counts.entrySet()) {
      any |= observe(entry.getValue(), answered.getOrDefault(entry.getKey(), 0L));
    }
    if (any || room() > 0) {
      moved = clock.getAsLong();
    } else if (clock.getAsLong() - moved >= STUCK_NANOS) {
      counts.values().forEach(count -> count.emitted = 0);
      moved = clock.getAsLong();
      rebased++;
    }
    return any;
  }

  private boolean observe(Count count, long now) {
    long delta = count.known ? now - count.answered : 0;
    boolean first = !count.known;
    count.known = true;
    count.answered = now;
    if (delta > 0) {
      count.emitted = Math.max(0, count.emitted - delta);
    }
    return delta != 0 || first;
  }

  long outstanding() {
    return counts.values().stream().mapToLong(count -> count.emitted).sum();
  }

  /** Requests that may still be emitted. */
  long room() {
    return Math.max(0, limit - outstanding());
  }

  /** Requests from the bulk stream that may still be emitted; 0 when another subtask reads it. */
  long bulkRoom() {
    Count count = counts.get(bulk);
    return count == null ? 0 : Math.max(0, Math.min(room(), window - count.emitted));
  }

  boolean readsBulk() {
    return counts.containsKey(bulk);
  }

  /** How often counting had to start anew because nothing moved. */
  long rebased() {
    return rebased;
  }
}
