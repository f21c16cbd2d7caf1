// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.redis;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

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

  static SpecReader spec(String... fields) {
    ObjectNode node = new ObjectMapper().createObjectNode();
    node.put("redis", "redis://127.0.0.1:6379");
    for (int i = 0; i < fields.length; i += 2) {
      node.put(fields[i], fields[i + 1]);
    }
    return new SpecReader("kind", node);
  }

  static IngressSpec ingress(String... fields) {
    return new IngressSpec(spec(fields));
  }

  static EgressSpec egress(String... fields) {
    return new EgressSpec(spec(fields));
  }
}
