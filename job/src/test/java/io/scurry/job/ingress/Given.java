// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.job.link.Specs;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Entries and specs as tests want them. */
final class Given {
  private Given() {}

  static Entry entry(String id, String... fields) {
    return entryOf("scurry:requests", id, fields);
  }

  static Entry entryOf(String stream, String id, String... fields) {
    List<byte[]> parts = new ArrayList<>();
    for (String field : fields) {
      parts.add(field.getBytes(StandardCharsets.UTF_8));
    }
    return new Entry(stream, id, parts);
  }

  static IngressSpec ingress(String... fields) {
    return new IngressSpec(Specs.of(fields));
  }
}
