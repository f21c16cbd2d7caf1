// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import redis.clients.jedis.Jedis;

/** What Redis says of one stream; a stream that does not exist is empty. */
final class StreamFacts {
  final boolean exists;
  final long length;
  final EntryId last;

  /** Entries ever added, or -1 before Redis 7. */
  final long added;

  StreamFacts(boolean exists, long length, EntryId last, long added) {
    this.exists = exists;
    this.length = length;
    this.last = last;
    this.added = added;
  }

  @SuppressWarnings("unchecked")
  static StreamFacts of(Jedis jedis, String stream) {
    if (!jedis.exists(stream)) {
      return new StreamFacts(false, 0, EntryId.ZERO, 0);
    }
    Map<String, Object> info = new HashMap<>();
    List<Object> answer = (List<Object>) jedis.xinfoStream(stream.getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i + 1 < answer.size(); i += 2) {
      info.put(Entry.text((byte[]) answer.get(i)), answer.get(i + 1));
    }
    EntryId last = EntryId.parse(Entry.text((byte[]) info.get("last-generated-id")));
    return new StreamFacts(true, (Long) info.get("length"), last, (Long) info.getOrDefault("entries-added", -1L));
  }

  /** Whether Redis counts entries (7.0 and later), so that a lag can be mirrored. */
  boolean countsEntries() {
    return added >= 0;
  }

  /** Entries that were trimmed away before anybody could read from the beginning; 0 when Redis does not count. */
  long trimmed() {
    return countsEntries() ? Math.max(0, added - length) : 0;
  }

  /**
   * Why reading on from this position would skip entries, or null when it would not.
   *
   * @param anchored whether the entry at the position still exists
   */
  String gap(Position position, boolean anchored) {
    if (position.isStart()) {
      long missed = trimmed() - position.read;
      return missed <= 0 ? null : missed + " entries were trimmed before the first was read";
    }
    if (last.compareTo(position.id) < 0) {
      return exists
          ? "the stream ends at " + last + ", before the position " + position.id
          : "the stream does not exist any more";
    }
    boolean nothingSince = last.equals(position.id);
    return anchored || nothingSince ? null : "the entry at the position " + position.id + " was trimmed away";
  }
}
