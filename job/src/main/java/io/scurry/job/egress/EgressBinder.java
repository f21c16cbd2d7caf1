// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import io.scurry.job.Names;
import io.scurry.job.link.SpecReader;
import org.apache.flink.statefun.extensions.ComponentBinder;
import org.apache.flink.statefun.extensions.ComponentJsonObject;
import org.apache.flink.statefun.flink.io.datastream.SinkFunctionSpec;
import org.apache.flink.statefun.sdk.TypeName;
import org.apache.flink.statefun.sdk.io.EgressIdentifier;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;
import org.apache.flink.statefun.sdk.spi.StatefulFunctionModule;

/**
 * Binds the Redis egress. Every value may hold {@code ${NAME:default}} placeholders.
 *
 * <pre>
 * kind: scurry.redis.v1/egress
 * spec:
 *   id: scurry/replies               (typename)
 *   redis: redis://127.0.0.1:6379/0  (URL, see RedisAddress)
 *   namespace: scurry                (prefix of all keys; {scurry} on Redis Cluster)
 *   markerTtl: 15min                 (life of first-result-wins; longer than the checkpoint interval times (retained
 *                                     checkpoints + 1) plus the longest outage)
 *   keep: 15min                      (life of a result nobody reads along,
 *   keepReplied: 2min                 and of one that went to a reply stream, when the request does not say)
 *   replyStreamLength: 100000        (entries a reply stream may hold, about)
 *   replyStreamTtl: 15min            (life of a reply stream after the last write)
 *   auditLength: 100000              (entries of the registry stream, about)
 *   deadLength: 100000               (entries of the dead letter stream, about)
 *   failuresLength: 10000            (entries of the stream that says why Cluster Serving entries got NaN, about)
 *   clusterServingTtl: 0s            (life of an answer to a Cluster Serving entry; 0: until its reader deletes it)
 *   outage: 5min                     (how long Redis may be away before the job restarts)
 *   batch: 64                        (replies of one script call; larger ones are slower for each)
 *   queueBytes: 32mb                 (what may wait for Redis before the functions are held back)
 * </pre>
 */
final class EgressBinder implements ComponentBinder {
  static final TypeName KIND = TypeName.parseFrom(Names.EGRESS_KIND);

  @Override
  public void bind(ComponentJsonObject component, StatefulFunctionModule.Binder module) {
    SpecReader reader = new SpecReader(Names.EGRESS_KIND, component.specJsonNode());
    TypeName id = TypeName.parseFrom(reader.text("id", Names.EGRESS));
    EgressSpec spec = new EgressSpec(reader);
    EgressIdentifier<TypedValue> egress = new EgressIdentifier<>(id.namespace(), id.name(), TypedValue.class);
    module.bindEgress(new SinkFunctionSpec<>(egress, new RedisSink(spec)));
  }
}
