// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * What each model has in flight of one subtask's entries, in requests and bytes; pure.
 *
 * <p>The egress counts a model's answers, but for those to names that nobody registered. A model that got no answer for
 * a minute while others did is forgotten: its answers are not counted, or never come.
 */
final class ModelShares {
  private static final long FORGOTTEN_NANOS = 60_000_000_000L;
  private static final int MOST_MODELS = 20_000;

  private static final class Share {
    long requests;
    long bytes;
    long answered;
    long moved;
  }

  private final Map<String, Share> shares = new HashMap<>();
  private long requests;
  private long bytes;

  /** The field of the egress' counters for a model's entries of one stream. */
  static String field(String stream, String model) {
    return stream + "@" + model;
  }

  /** Models whose counter was not looked at yet: it must be before they emit, or their first answers do not count. */
  Collection<String> strangers(Collection<String> models) {
    Collection<String> strangers = new LinkedHashSet<>();
    for (String model : models) {
      if (!shares.containsKey(model)) {
        strangers.add(model);
      }
    }
    return strangers;
  }

  void emitted(String model, long size, long now) {
    if (shares.size() >= MOST_MODELS) {
      clear();
    }
    Share share = shares.computeIfAbsent(model, unused -> new Share());
    if (share.requests == 0) {
      share.moved = now;
    }
    add(share, 1, size);
  }

  private void add(Share share, long count, long size) {
    share.requests += count;
    share.bytes += size;
    requests += count;
    bytes += size;
  }

  /** Models with at least so many requests in flight. */
  List<String> holding(long atLeast) {
    List<String> models = new ArrayList<>();
    shares.forEach((model, share) -> {
      if (share.requests >= atLeast) {
        models.add(model);
      }
    });
    return models;
  }

  /**
   * Takes a counter of the egress; 0 when there is none.
   *
   * @param answering whether anybody is being answered
   */
  void observe(String model, long answered, boolean answering, long now) {
    Share share = shares.get(model);
    if (share == null) {
      share = new Share();
      share.answered = answered;
      share.moved = now;
      shares.put(model, share);
      return;
    }
    long done = Math.min(answered - share.answered, share.requests);
    share.answered = answered;
    if (done > 0) {
      share.moved = now;
      add(share, -done, -(share.bytes * done / share.requests));
    } else if (done < 0 || answering && now - share.moved > FORGOTTEN_NANOS) {
      share.moved = now;
      add(share, -share.requests, -share.bytes);
    }
  }

  /** After a time in which nobody was answered. */
  void forgive(long now) {
    shares.values().forEach(share -> share.moved = now);
  }

  long requests() {
    return requests;
  }

  long bytes() {
    return bytes;
  }

  long bytes(String model) {
    Share share = shares.get(model);
    return share == null ? 0 : share.bytes;
  }

  void clear() {
    shares.clear();
    requests = 0;
    bytes = 0;
  }

  @Override
  public String toString() {
    return requests + " requests of " + shares.size() + " models, " + bytes + " bytes";
  }
}
