// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * What this subtask emitted that is not answered yet, and what more it may emit; pure.
 *
 * <p>The egress counts answers in Redis, so the bound holds across TaskManagers. A model may hold as much as is left
 * for all: whatever number of models is at that limit, as much is left for the next. What is more is its surplus. A
 * counter that is gone, or behind, was lost: counting starts anew. That nothing is answered never starts it anew.
 */
final class InFlight {
  /** What one request takes beside its body. */
  static final long OVERHEAD = 1024;

  static final long ANSWERING_NANOS = 1_000_000_000L;
  private static final long UNLIMITED = Long.MAX_VALUE / 2;
  private static final int WORTH_A_LOOK = 16;

  private static final class Count {
    long emitted;
    Long answered;
  }

  private final Map<String, Count> counts = new HashMap<>();
  private final ModelShares shares = new ModelShares();
  private final String bulk;
  private final long mostBytes;
  private final long window;
  private final LongSupplier clock;
  private long most = UNLIMITED;
  private long moved;
  private long lost;

  InFlight(Iterable<String> streams, String bulk, long mostBytes, long window, LongSupplier clock) {
    streams.forEach(stream -> counts.put(stream, new Count()));
    this.bulk = bulk;
    this.mostBytes = mostBytes;
    this.window = window;
    this.clock = clock;
    this.moved = clock.getAsLong() - ANSWERING_NANOS;
  }

  /** At most so many requests, until {@link #unbound()}. */
  void bound(long requests) {
    most = requests;
  }

  void unbound() {
    most = UNLIMITED;
  }

  /** One entry; its model as {@link ModelShares#field} names it. */
  void emitted(String stream, String model, long bodyBytes) {
    counts.get(stream).emitted++;
    shares.emitted(model, bodyBytes + OVERHEAD, clock.getAsLong());
  }

  Collection<String> strangers(Collection<String> models) {
    return shares.strangers(models);
  }

  /** Models whose counters matter now. */
  Collection<String> holders() {
    return shares.holding(WORTH_A_LOOK);
  }

  /** Takes the counters of the egress for all streams, and for some models. */
  void observe(Map<String, Long> answered, Collection<String> models) {
    boolean any = false;
    for (Map.Entry<String, Count> entry : counts.entrySet()) {
      any |= observe(entry.getValue(), answered.get(entry.getKey()));
    }
    long now = clock.getAsLong();
    if (any && now - moved > ANSWERING_NANOS) {
      shares.forgive(now);
    }
    moved = any ? now : moved;
    for (String model : models) {
      shares.observe(model, answered.getOrDefault(model, 0L), isAnswering(), now);
    }
  }

  private boolean observe(Count count, Long now) {
    Long before = count.answered;
    count.answered = now;
    if (before == null) {
      boolean first = now != null && count.emitted > 0;
      count.emitted = first ? Math.max(0, count.emitted - now) : count.emitted;
      return first;
    }
    if (now == null || now < before) {
      lost++;
      count.emitted = 0;
      shares.clear();
      return true;
    }
    count.emitted = Math.max(0, count.emitted - (now - before));
    return now > before;
  }

  long outstanding() {
    long sum = 0;
    for (Count count : counts.values()) {
      sum += count.emitted;
    }
    return sum;
  }

  /** Bytes in flight: the models' shares, of which some are known less freshly than the sum of requests. */
  long bytes() {
    long requests = shares.requests();
    return requests == 0 ? 0 : (long) (shares.bytes() * Math.min(1.0, (double) outstanding() / requests));
  }

  boolean isFull() {
    return bytes() >= mostBytes || outstanding() >= most;
  }

  /** Whether one more of this model would be more than its part. */
  boolean isSurplus(String model, long bodyBytes) {
    return shares.bytes(model) + bodyBytes + OVERHEAD > mostBytes - bytes();
  }

  /** Whether anybody was answered just now, so that it is the model's own fault when it is not. */
  boolean isAnswering() {
    return clock.getAsLong() - moved < ANSWERING_NANOS;
  }

  /** Requests that may still be emitted. */
  long room() {
    return isFull() ? 0 : Math.max(0, most - outstanding());
  }

  /** Requests from the bulk stream that may still be emitted; 0 when another subtask reads it. */
  long bulkRoom() {
    Count count = counts.get(bulk);
    return count == null ? 0 : Math.max(0, Math.min(room(), window - count.emitted));
  }

  boolean readsBulk() {
    return counts.containsKey(bulk);
  }

  /** How often a counter was lost and counting had to start anew. */
  long lost() {
    return lost;
  }

  @Override
  public String toString() {
    return "<InFlight " + outstanding() + " requests, " + bytes() + " of " + mostBytes + " bytes; " + shares + ">";
  }
}
