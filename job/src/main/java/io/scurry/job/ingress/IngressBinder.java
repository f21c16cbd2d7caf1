// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.job.Names;
import io.scurry.job.link.SpecReader;
import org.apache.flink.statefun.extensions.ComponentBinder;
import org.apache.flink.statefun.extensions.ComponentJsonObject;
import org.apache.flink.statefun.flink.io.datastream.SourceFunctionSpec;
import org.apache.flink.statefun.sdk.TypeName;
import org.apache.flink.statefun.sdk.io.IngressIdentifier;
import org.apache.flink.statefun.sdk.spi.StatefulFunctionModule;

/**
 * Binds the Redis ingress. Every value may hold {@code ${NAME:default}} placeholders.
 *
 * <pre>
 * kind: scurry.redis.v1/ingress
 * spec:
 *   id: scurry/requests              (typename; the operator's uid comes from it: never rename)
 *   redis: redis://127.0.0.1:6379/0  (URL, see RedisAddress)
 *   namespace: scurry                (prefix of all keys; {scurry} on Redis Cluster)
 *   partitions: 1                    (request streams; omitted: what the namespace was created with, else 1)
 *   inFlightBytes: 64mb              (bodies emitted and not answered, in the whole job, 1 KiB more for each request;
 *                                     one model may hold as much of it as is left for all)
 *   bulkInFlight: 1024               (requests of the bulk stream emitted and not answered)
 *   batch: 256                       (entries of one read)
 *   batchBytes: 8mb                  (a read larger than this halves the next)
 *   claimCheckBytes: 8192            (larger inline bodies are parked)
 *   payloadTtl: 24h                  (life of what was parked)
 *   outage: 5min                     (how long Redis may be away before the job restarts)
 *   retention: 10min                 (entries are kept at least so long after they were read,
 *   retentionBytes: 512mb             or until so much lies behind, whichever is less)
 *   retainedCheckpoints: 3           (trimming stays behind the oldest of so many completed checkpoints;
 *                                     at least state.checkpoints.num-retained)
 *   checkpointPatience: 10min        (without a completed checkpoint for so long nothing more is read; less than the
 *                                     egress' markerTtl)
 *   onGap: fail                      (fail or resume, when a restored position cannot be continued without loss)
 *   separateRegistry: 0              (1: registry messages are taken from NAMESPACE:registry-in only)
 * </pre>
 */
final class IngressBinder implements ComponentBinder {
  static final TypeName KIND = TypeName.parseFrom(Names.INGRESS_KIND);

  @Override
  public void bind(ComponentJsonObject component, StatefulFunctionModule.Binder module) {
    SpecReader reader = new SpecReader(Names.INGRESS_KIND, component.specJsonNode());
    TypeName id = TypeName.parseFrom(reader.text("id", Names.INGRESS));
    IngressSpec spec = new IngressSpec(reader);
    IngressIdentifier<Mail> ingress = new IngressIdentifier<>(Mail.class, id.namespace(), id.name());
    module.bindIngress(new SourceFunctionSpec<>(ingress, new RedisSource(spec)));
    module.bindIngressRouter(ingress, new MailRouter());
  }
}
