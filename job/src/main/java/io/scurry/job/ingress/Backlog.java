// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What stood in the streams when this run began: an earlier one may have read and answered it. */
final class Backlog {
  private final Map<String, EntryId> ends;

  /** {@code ends}: the last entry of each stream when the run began. */
  Backlog(Map<String, EntryId> ends) {
    this.ends = new HashMap<>(ends);
  }

  static Backlog of(StreamReader reader, List<Position> positions) throws InterruptedException {
    Map<String, EntryId> ends = new HashMap<>();
    for (Position position : positions) {
      ends.put(position.stream, reader.facts(position.stream).last);
    }
    return new Backlog(ends);
  }

  /** Whether any of these is of the backlog; entries of one stream come in order. */
  boolean holds(List<Entry> read) {
    if (ends.isEmpty()) {
      return false;
    }
    boolean any = false;
    for (Entry entry : read) {
      EntryId end = ends.get(entry.stream);
      if (end == null) {
        continue;
      }
      if (EntryId.parse(entry.id).compareTo(end) <= 0) {
        any = true;
      } else {
        ends.remove(entry.stream);
      }
    }
    return any;
  }

  @Override
  public String toString() {
    return "<Backlog up to " + ends + ">";
  }
}
