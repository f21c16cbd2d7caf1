// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.job.Misconfigured;
import io.scurry.job.Names;
import io.scurry.job.link.Keys;
import io.scurry.job.link.RedisAddress;
import io.scurry.job.link.SpecReader;
import java.io.Serializable;
import java.time.Duration;

/** Settings of the ingress; {@link IngressBinder} says what each means. */
final class IngressSpec implements Serializable {
  private static final long serialVersionUID = 1L;

  final RedisAddress redis;
  final Keys keys;
  final int partitions;
  final long inFlightBytes;
  final int bulkInFlight;
  final int batch;
  final long batchBytes;
  final int claimCheckBytes;
  final Duration payloadTtl;
  final Duration outage;
  final Duration retention;
  final long retentionBytes;
  final int retainedCheckpoints;
  final Duration checkpointPatience;
  final boolean resumeOnGap;
  final boolean separateRegistry;

  IngressSpec(SpecReader spec) {
    redis = RedisAddress.parse(spec.text("redis", null));
    keys = new Keys(spec.text("namespace", "scurry"));
    partitions = spec.number("partitions", 0, 0, 4096);
    inFlightBytes = spec.bytes("inFlightBytes", "64mb");
    bulkInFlight = spec.number("bulkInFlight", 1024, 1, 1_000_000);
    batch = spec.number("batch", 256, 1, 10_000);
    batchBytes = spec.bytes("batchBytes", "8mb");
    claimCheckBytes = spec.number("claimCheckBytes", Names.CLAIM_CHECK_BYTES, 64, 1 << 30);
    payloadTtl = spec.duration("payloadTtl", "24h");
    outage = spec.duration("outage", "5min");
    retention = spec.duration("retention", "10min");
    retentionBytes = spec.bytes("retentionBytes", "512mb");
    retainedCheckpoints = spec.number("retainedCheckpoints", 3, 1, 1000);
    checkpointPatience = spec.duration("checkpointPatience", "10min");
    resumeOnGap = resumes(spec.text("onGap", "fail"));
    separateRegistry = spec.number("separateRegistry", 0, 0, 1) == 1;
    spec.finish();
  }

  private static boolean resumes(String onGap) {
    if (!onGap.equals("fail") && !onGap.equals("resume")) {
      throw new Misconfigured("onGap of the ingress must be fail or resume, not '" + onGap + "'.");
    }
    return onGap.equals("resume");
  }
}
