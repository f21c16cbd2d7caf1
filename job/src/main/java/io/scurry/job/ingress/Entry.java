// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** One stream entry as Redis gave it: fields and values alternate, unparsed. */
final class Entry {
  final String stream;
  final String id;
  final List<byte[]> fields;

  Entry(String stream, String id, List<byte[]> fields) {
    this.stream = stream;
    this.id = id;
    this.fields = fields;
  }

  /** Tells a replay from a retry: {@code <stream>/<entry id>}. */
  String place() {
    return stream + "/" + id;
  }

  /** Bytes of all fields and values. */
  long bytes() {
    long bytes = 0;
    for (byte[] part : fields) {
      bytes += part.length;
    }
    return bytes;
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
