// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import com.google.protobuf.MessageLite;
import io.scurry.job.Names;
import io.scurry.wire.Messages.Replies;
import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.Requests;
import io.scurry.wire.Messages.Update;
import org.apache.flink.statefun.sdk.Address;
import org.apache.flink.statefun.sdk.FunctionType;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/** A message and the function it is for: what the ingress emits. */
public final class Mail {
  private static final FunctionType ROUTER = type(Names.ROUTER);
  private static final FunctionType ANSWERS = type(Names.ANSWERS);
  private static final FunctionType REGISTRY = type(Names.REGISTRY);

  final Address to;
  final TypedValue value;

  private Mail(FunctionType function, String key, MessageLite message) {
    this(function, key, Names.TYPE_PREFIX + message.getClass().getSimpleName(), message);
  }

  private Mail(FunctionType function, String key, String typename, MessageLite message) {
    this.to = new Address(function, key);
    this.value =
        TypedValue.newBuilder().setTypename(typename).setHasValue(true).setValue(message.toByteString()).build();
  }

  static Mail of(String model, Requests requests) {
    return new Mail(ROUTER, model, requests);
  }

  /** An answer of the ingress itself, to what was never in flight. */
  static Mail of(Reply reply) {
    Replies replies = Replies.newBuilder().addReplies(reply).build();
    return new Mail(ANSWERS, reply.getModel(), Names.REFUSALS, replies);
  }

  /** What is read again goes by way of the router: what stands behind it must not overtake it. */
  static Mail of(Update update) {
    return new Mail(update.getReplayed() ? ROUTER : REGISTRY, update.getModel(), update);
  }

  private static FunctionType type(String name) {
    String[] parts = name.split("/");
    return new FunctionType(parts[0], parts[1]);
  }

  @Override
  public String toString() {
    return value.getTypename() + " for " + to.type().name() + " " + to.id();
  }
}
