// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Requests;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/** What the transport does to the steps of a sequence that their worker did not answer. */
final class Steps {
  /** Behind serialised Requests it says solo: each is to be computed in a child process, whose end harms no other. */
  private static final ByteString SOLO = Requests.newBuilder().setSolo(true).build().toByteString();

  private Steps() {}

  /** The same call, each of its steps to be computed by itself. */
  static ToFunction apart(ToFunction call) {
    ToFunction.Builder apart = call.toBuilder();
    for (ToFunction.Invocation.Builder invocation : apart.getInvocationBuilder().getInvocationsBuilderList()) {
      TypedValue.Builder message = invocation.getArgumentBuilder();
      if (message.getTypename().equals(Bounce.REQUESTS)) {
        message.setValue(message.getValue().concat(SOLO));
      }
    }
    return apart.build();
  }

  /** Whether nobody waits for any of them any more: each has a deadline that has passed. */
  static boolean areLate(ToFunction call, long nowMillis) {
    for (ToFunction.Invocation invocation : call.getInvocation().getInvocationsList()) {
      try {
        for (Request request : Requests.parseFrom(invocation.getArgument().getValue()).getRequestsList()) {
          if (request.getDeadline() <= 0 || request.getDeadline() > nowMillis) {
            return false;
          }
        }
      } catch (InvalidProtocolBufferException e) {
        return false;
      }
    }
    return true;
  }
}
