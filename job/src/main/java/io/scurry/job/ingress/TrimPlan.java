// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/**
 * Up to where one stream may be trimmed: behind completed checkpoints, and no sooner than retention asks; pure.
 *
 * <p>The id it names is always a position that was read, or an older one, and {@code XTRIM MINID} keeps the entry of
 * that id: the anchor by which a restore recognises that nothing is missing.
 */
final class TrimPlan {
  private static final class Mark {
    final long checkpoint;
    final EntryId id;
    final long bytes;
    boolean completed;

    Mark(long checkpoint, EntryId id, long bytes) {
      this.checkpoint = checkpoint;
      this.id = id;
      this.bytes = bytes;
    }
  }

  private final int retained;
  private final Duration retention;
  private final long mostBytes;
  private final Deque<Mark> marks = new ArrayDeque<>();

  TrimPlan(int retained, Duration retention, long mostBytes) {
    this.retained = retained;
    this.retention = retention;
    this.mostBytes = mostBytes;
  }

  /** A checkpoint holds this position; {@code bytes} is what had been read by then. */
  void snapshot(long checkpoint, EntryId id, long bytes) {
    marks.addLast(new Mark(checkpoint, id, bytes));
  }

  /** Confirms a checkpoint; checkpoints before it that were not confirmed never will be. */
  void complete(long checkpoint) {
    marks.removeIf(mark -> !mark.completed && mark.checkpoint < checkpoint);
    marks.stream().filter(mark -> mark.checkpoint == checkpoint).forEach(mark -> mark.completed = true);
  }

  /** The smallest id to keep, or null when nothing may go. */
  EntryId keepFrom(long nowMillis, long bytesRead) {
    Mark covered = oldestRetained();
    if (covered == null) {
      return null;
    }
    EntryId keep = EntryId.at(nowMillis - retention.toMillis());
    for (Mark mark : marks) {
      boolean tooMuchBehind = bytesRead - mark.bytes > mostBytes;
      if (tooMuchBehind && mark.id.compareTo(keep) > 0) {
        keep = mark.id;
      }
    }
    forget(bytesRead);
    return keep.compareTo(covered.id) < 0 ? keep : covered.id;
  }

  private Mark oldestRetained() {
    int behind = retained - 1;
    for (Iterator<Mark> newest = marks.descendingIterator(); newest.hasNext(); ) {
      Mark mark = newest.next();
      if (mark.completed && behind-- == 0) {
        return mark;
      }
    }
    return null;
  }

  /** Marks that are beyond the size are needed no longer, but for the newest of them. */
  private void forget(long bytesRead) {
    while (marks.size() > retained + 1) {
      Iterator<Mark> oldest = marks.iterator();
      oldest.next();
      boolean redundant = bytesRead - oldest.next().bytes > mostBytes || marks.size() > 4096;
      if (!redundant) {
        return;
      }
      marks.removeFirst();
    }
  }
}
