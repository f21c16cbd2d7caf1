// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.local;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.scurry.job.Addresses;
import io.scurry.job.Names;
import io.scurry.wire.Messages.Load;
import io.scurry.wire.Messages.LoadFailed;
import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.Request;
import org.apache.flink.statefun.sdk.Address;
import org.apache.flink.statefun.sdk.Context;
import org.apache.flink.statefun.sdk.FunctionType;
import org.apache.flink.statefun.sdk.StatefulFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands in for every function that no endpoint of the module serves.
 *
 * <p>StateFun would throw at the first message, and the job would repeat it for ever. A request gets an error through
 * its router, which frees its place; a load fails; anything else is dropped.
 */
final class NoEndpoint implements StatefulFunction {
  private static final Logger LOG = LoggerFactory.getLogger(NoEndpoint.class);
  private static final FunctionType ROUTER = Answers.type(Names.ROUTER);
  private static final FunctionType REGISTRY = Answers.type(Names.REGISTRY);

  private final String sentence;

  NoEndpoint(FunctionType type) {
    sentence = "No endpoint in module.yaml serves the function " + type.namespace() + "/" + type.name() + ".";
    LOG.error(sentence);
  }

  @Override
  public void invoke(Context context, Object message) {
    Addresses address = Addresses.parse(context.self().id());
    if (address == null || !(message instanceof TypedValue)) {
      return;
    }
    TypedValue value = (TypedValue) message;
    try {
      if (value.getTypename().equals(Names.TYPE_PREFIX + "Request")) {
        send(context, ROUTER, address.model, reply(Request.parseFrom(value.getValue())));
      } else if (value.getTypename().equals(Names.TYPE_PREFIX + "Load")) {
        send(context, REGISTRY, address.model, failure(Load.parseFrom(value.getValue())));
      }
    } catch (InvalidProtocolBufferException e) {
      LOG.error("{} A message to it cannot be parsed either.", sentence);
    }
  }

  private Reply reply(Request request) {
    Reply.Builder reply = Reply.newBuilder()
        .setId(request.getId())
        .setEntry(request.getEntry())
        .setReply(request.getReply())
        .setModel(request.getModel())
        .setVersion(request.getVersion())
        .setEncoding(request.getEncoding())
        .setError("unavailable")
        .setMessage(sentence)
        .setBulk(request.getBulk())
        .setStream(request.getStream())
        .setUri(request.getUri())
        .setDigest(request.getDigest());
    if (request.hasKeep()) {
      reply.setKeep(request.getKeep());
    }
    if (!request.getPayload().isEmpty()) {
      reply.addConsumed(request.getPayload());
    }
    return reply.build();
  }

  private LoadFailed failure(Load load) {
    return LoadFailed.newBuilder()
        .setVersion(load.getVersion())
        .setLane(load.getLane())
        .setGeneration(load.getSpec().getGeneration())
        .setIdentity(load.getSpec().getIdentity())
        .setError("load_failed")
        .setMessage(sentence)
        .build();
  }

  private static void send(Context context, FunctionType function, String model, MessageLite message) {
    TypedValue value = TypedValue.newBuilder()
        .setTypename(Names.TYPE_PREFIX + message.getClass().getSimpleName())
        .setHasValue(true)
        .setValue(message.toByteString())
        .build();
    context.send(new Address(function, model), value);
  }
}
