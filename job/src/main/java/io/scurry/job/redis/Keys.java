// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.redis;

import io.scurry.job.Misconfigured;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** Redis keys of one namespace; the Java twin of {@code Keys} in {@code wire/names.py}. */
final class Keys implements Serializable {
  private static final long serialVersionUID = 1L;

  final String namespace;

  Keys(String namespace) {
    if (!namespace.matches("[^\\s:]{1,64}")) {
      throw new Misconfigured("The namespace '" + namespace + "' must be 1 to 64 characters without blanks or colons.");
    }
    this.namespace = namespace;
  }

  /** The request streams, one for each partition. */
  List<String> requests(int partitions) {
    if (partitions == 1) {
      return List.of(namespace + ":requests");
    }
    List<String> streams = new ArrayList<>();
    for (int p = 0; p < partitions; p++) {
      streams.add(namespace + ":requests:" + p);
    }
    return streams;
  }

  String partitions() {
    return namespace + ":partitions";
  }

  String bulk() {
    return namespace + ":bulk";
  }

  String result(String id) {
    return namespace + ":result:" + id;
  }

  String done(String id) {
    return namespace + ":done:" + id;
  }

  String payloadIn(String id, String name) {
    return namespace + ":payload:" + id + ":in:" + name;
  }

  String models() {
    return namespace + ":models";
  }

  String registry() {
    return namespace + ":registry";
  }

  String dead() {
    return namespace + ":dead";
  }

  /** Hash: stream → replies written for its entries; what the bound on requests in flight is counted by. */
  String answered() {
    return namespace + ":answered";
  }

  /**
   * Whether replies may be appended to this stream. Only ours: the script gives it a length and a TTL, which would eat
   * somebody else's data, and on Redis Cluster only our keys share the script's slot.
   */
  boolean isReplyStream(String name) {
    String prefix = namespace + ":replies:";
    return name.startsWith(prefix) && name.length() > prefix.length();
  }
}
