// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;

/** How far one stream has been read. Its tuple form is the ingress' operator state: never change it. */
final class Position {
  static final TypeInformation<Tuple3<String, String, Long>> TYPE =
      Types.TUPLE(Types.STRING, Types.STRING, Types.LONG);

  final String stream;
  final EntryId id;

  /** Entries read since the stream was created, as Redis 7 counts them. */
  final long read;

  Position(String stream, EntryId id, long read) {
    this.stream = stream;
    this.id = id;
    this.read = read;
  }

  static Position start(String stream) {
    return new Position(stream, EntryId.ZERO, 0);
  }

  static Position of(Tuple3<String, String, Long> tuple) {
    return new Position(tuple.f0, EntryId.parse(tuple.f1), tuple.f2);
  }

  Tuple3<String, String, Long> tuple() {
    return Tuple3.of(stream, id.toString(), read);
  }

  Position advance(EntryId last, int entries) {
    return new Position(stream, last, read + entries);
  }

  boolean isStart() {
    return id.equals(EntryId.ZERO);
  }

  @Override
  public String toString() {
    return stream + " at " + id;
  }
}
