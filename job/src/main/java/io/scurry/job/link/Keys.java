// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import io.scurry.job.Limits;
import io.scurry.job.Misconfigured;
import io.scurry.job.Names;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/** Redis keys of one namespace; the Java twin of {@code Keys} in {@code wire/names.py}. */
public final class Keys implements Serializable {
  private static final long serialVersionUID = 1L;
  private static final Pattern OWN = Pattern.compile("in:[^:]+|out:[0-9a-f]+:[^:]+", Pattern.DOTALL);

  public final String namespace;

  public Keys(String namespace) {
    if (!namespace.matches("[^\\s:]{1,64}")) {
      throw new Misconfigured("The namespace '" + namespace + "' must be 1 to 64 characters without blanks or colons.");
    }
    this.namespace = namespace;
  }

  /** The request streams, one for each partition. */
  public List<String> requests(int partitions) {
    if (partitions == 1) {
      return List.of(namespace + ":requests");
    }
    List<String> streams = new ArrayList<>();
    for (int p = 0; p < partitions; p++) {
      streams.add(namespace + ":requests:" + p);
    }
    return streams;
  }

  public String partitions() {
    return namespace + ":partitions";
  }

  public String bulk() {
    return namespace + ":bulk";
  }

  public String result(String id) {
    return namespace + ":result:" + id;
  }

  public String done(String id) {
    return namespace + ":done:" + id;
  }

  /** Registry messages for themselves, so that Redis can tell administrators from users. */
  public String registryIn() {
    return namespace + ":registry-in";
  }

  public String payloadIn(String id, String name) {
    return namespace + ":payload:" + id + ":in:" + name;
  }

  public String models() {
    return namespace + ":models";
  }

  public String registry() {
    return namespace + ":registry";
  }

  /** Hash: how often the job was restarted, when it last began, what it has to say about Redis. */
  public String job() {
    return namespace + ":job";
  }

  public String dead() {
    return namespace + ":dead";
  }

  /** Stream: why entries of Cluster Serving streams were answered with NaN. */
  public String failures() {
    return namespace + ":failures";
  }

  /** Where a Cluster Serving client looks for the answer to an entry. */
  public static byte[] clusterServing(String stream, byte[] uri) {
    byte[] prefix = (Names.CLUSTER_SERVING + stream + ":").getBytes(StandardCharsets.UTF_8);
    byte[] key = Arrays.copyOf(prefix, prefix.length + uri.length);
    System.arraycopy(uri, 0, key, prefix.length, uri.length);
    return key;
  }

  /** Hash: stream → replies written for its entries; what the bound on requests in flight is counted by. */
  public String answered() {
    return namespace + ":answered";
  }

  /**
   * Whether replies may be appended to this stream. Only ours: the script gives it a length and a TTL, which would eat
   * somebody else's data, and on Redis Cluster only our keys share the script's slot.
   */
  public boolean isReplyStream(String name) {
    String prefix = namespace + ":replies:";
    return name.startsWith(prefix) && name.length() > prefix.length()
        && name.getBytes(StandardCharsets.UTF_8).length <= Limits.REPLY_BYTES;
  }

  /**
   * Whether a request with this id may have this key followed or deleted: its own parked inputs and outputs.
   *
   * <p>What follows the id has no further colons, so that no other id can spell the same key.
   */
  public boolean owns(String id, String key) {
    String prefix = namespace + ":payload:" + id + ":";
    return key.startsWith(prefix) && OWN.matcher(key.substring(prefix.length())).matches();
  }
}
