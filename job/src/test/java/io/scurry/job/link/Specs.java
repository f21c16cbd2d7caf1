// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

/** Specs as module.yaml would hold them. */
public final class Specs {
  private Specs() {}

  public static SpecReader of(String... fields) {
    ObjectNode node = new ObjectMapper().createObjectNode();
    node.put("redis", "redis://127.0.0.1:6379");
    for (int i = 0; i < fields.length; i += 2) {
      node.put(fields[i], fields[i + 1]);
    }
    return new SpecReader("kind", node);
  }
}
