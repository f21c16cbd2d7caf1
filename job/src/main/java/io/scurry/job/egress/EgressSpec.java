// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import io.scurry.job.Misconfigured;
import io.scurry.job.link.Keys;
import io.scurry.job.link.RedisAddress;
import io.scurry.job.link.SpecReader;
import java.io.Serializable;
import java.time.Duration;

/** Settings of the egress; {@link EgressBinder} says what each means. */
final class EgressSpec implements Serializable {
  private static final long serialVersionUID = 1L;

  final RedisAddress redis;
  final Keys keys;
  final Duration markerTtl;
  final Duration keep;
  final Duration keepReplied;
  final int replyStreamLength;
  final Duration replyStreamTtl;
  final int auditLength;
  final int deadLength;
  final int failuresLength;
  final Duration clusterServingTtl;
  final Duration outage;
  final int batch;
  final long queueBytes;

  EgressSpec(SpecReader spec) {
    redis = RedisAddress.parse(spec.text("redis", null));
    keys = new Keys(spec.text("namespace", "scurry"));
    markerTtl = spec.duration("markerTtl", "15min");
    keep = spec.duration("keep", "15min");
    keepReplied = spec.duration("keepReplied", "2min");
    replyStreamLength = spec.number("replyStreamLength", 100_000, 1, Integer.MAX_VALUE);
    replyStreamTtl = spec.duration("replyStreamTtl", "15min");
    auditLength = spec.number("auditLength", 100_000, 1, Integer.MAX_VALUE);
    deadLength = spec.number("deadLength", 100_000, 1, Integer.MAX_VALUE);
    failuresLength = spec.number("failuresLength", 10_000, 1, Integer.MAX_VALUE);
    clusterServingTtl = spec.duration("clusterServingTtl", "0s");
    outage = spec.duration("outage", "5min");
    batch = spec.number("batch", 64, 1, 4096);
    queueBytes = spec.bytes("queueBytes", "32mb");
    spec.finish();
    if (markerTtl.compareTo(outage.plusMinutes(1)) < 0) {
      throw new Misconfigured("markerTtl of the egress (" + markerTtl.toSeconds() + " s) must exceed its outage ("
          + outage.toSeconds() + " s) by more than a minute, or a replay could answer twice.");
    }
  }
}
