// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

/** Names that cross a process or language border; the Java twin of {@code wire/names.py}. */
public final class Names {
  public static final String ROUTER = "scurry/router";
  public static final String REGISTRY = "scurry/registry";
  public static final String INFERENCE = "scurry/inference";
  public static final String ANSWERS = "scurry/answers";
  public static final String EGRESS = "scurry/replies";
  public static final String INGRESS = "scurry/requests";

  public static final String INGRESS_KIND = "scurry.redis.v1/ingress";
  public static final String EGRESS_KIND = "scurry.redis.v1/egress";
  public static final String TRANSPORT = "scurry.transports.v1/workers";

  /** Typed values are protobuf messages of the package scurry.v1, named scurry.v1/Message. */
  public static final String TYPE_PREFIX = "scurry.v1/";

  /** Typename of Replies to what the ingress did not let in: nobody counts them as answers. Only within the job. */
  public static final String REFUSALS = TYPE_PREFIX + "Refusals";

  /** What a model, a version or an alias may be called. */
  public static final String MODEL_NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,127}";

  /** Bodies above this many bytes are parked in Redis; only their key travels. */
  public static final int CLAIM_CHECK_BYTES = 8 * 1024;

  /** The serde of Cluster Serving's data when it is JSON; any other, or none, is Arrow. */
  public static final String SERDE_STREAM = "stream";

  /** Cluster Serving's answers: prefix, stream, colon, uri. No other key of ours begins so. */
  public static final String CLUSTER_SERVING = "cluster-serving_";

  /** Lanes of one priority; lane 16·l + k, of level l, goes where lane k goes. */
  public static final int MOST_LANES = 16;

  /** Router key of entries that name no model. */
  public static final String NOBODY = "!";

  private Names() {}
}
