// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How far each stream of this subtask has been read, and what may be trimmed behind it. Guarded by the caller. */
final class Progress {
  private static final class Stream {
    Position position;
    long bytes;
    final TrimPlan plan;
    final Map<Long, Position> snapshots = new LinkedHashMap<>();

    Stream(Position position, TrimPlan plan) {
      this.position = position;
      this.plan = plan;
    }
  }

  private final Map<String, Stream> streams = new LinkedHashMap<>();

  Progress(Collection<Position> positions, IngressSpec spec) {
    for (Position position : positions) {
      TrimPlan plan = new TrimPlan(spec.retainedCheckpoints, spec.retention, spec.retentionBytes);
      streams.put(position.stream, new Stream(position, plan));
    }
  }

  Collection<String> streams() {
    return streams.keySet();
  }

  List<Position> positions() {
    List<Position> positions = new ArrayList<>(streams.size());
    streams.values().forEach(stream -> positions.add(stream.position));
    return positions;
  }

  /** Everything but the bulk stream. */
  List<Position> positionsWithout(String bulk) {
    List<Position> positions = positions();
    positions.removeIf(position -> position.stream.equals(bulk));
    return positions;
  }

  void advance(Entry entry) {
    Stream stream = streams.get(entry.stream);
    stream.position = stream.position.advance(EntryId.parse(entry.id), 1);
    stream.bytes += entry.bytes() + 150;
  }

  void reset(Position position) {
    streams.get(position.stream).position = position;
  }

  void snapshot(long checkpoint) {
    for (Stream stream : streams.values()) {
      stream.plan.snapshot(checkpoint, stream.position.id, stream.bytes);
      stream.snapshots.put(checkpoint, stream.position);
    }
  }

  /** For each stream: its position in this checkpoint, and the smallest id to keep (null: keep all). */
  Map<Position, EntryId> complete(long checkpoint, long nowMillis) {
    Map<Position, EntryId> work = new LinkedHashMap<>();
    for (Stream stream : streams.values()) {
      Position covered = stream.snapshots.get(checkpoint);
      stream.snapshots.keySet().removeIf(id -> id <= checkpoint);
      stream.plan.complete(checkpoint);
      if (covered != null && !covered.isStart()) {
        work.put(covered, stream.plan.keepFrom(nowMillis, stream.bytes));
      }
    }
    return work;
  }
}
