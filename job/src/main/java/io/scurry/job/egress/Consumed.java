// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Parked inputs that are needed no longer, once a checkpoint covers their replies.
 *
 * <p>Before that a replay would need them again. What is lost in a crash is caught by the payloads' TTL.
 */
final class Consumed {
  private List<String> current = new ArrayList<>();
  private final NavigableMap<Long, List<String>> sealed = new TreeMap<>();

  synchronized void add(List<String> keys) {
    current.addAll(keys);
  }

  /** Everything added so far belongs to this checkpoint. */
  synchronized void seal(long checkpoint) {
    if (!current.isEmpty()) {
      sealed.put(checkpoint, current);
      current = new ArrayList<>();
    }
  }

  /** What may be deleted now that this checkpoint is complete. */
  synchronized List<String> release(long checkpoint) {
    List<String> keys = new ArrayList<>();
    NavigableMap<Long, List<String>> covered = sealed.headMap(checkpoint, true);
    covered.values().forEach(keys::addAll);
    covered.clear();
    return keys;
  }
}
