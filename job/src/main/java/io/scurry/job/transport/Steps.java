// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import com.google.protobuf.ByteString;
import io.scurry.wire.Messages.Requests;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction.PersistedValueMutation;
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

  /** The answer to a call that lost worker after worker, by which its sequence is forgotten: a step of it is missing. */
  static FromFunction lost(ToFunction call, FromFunction bounce) {
    FromFunction.Builder lost = bounce.toBuilder();
    for (ToFunction.PersistedValue state : call.getInvocation().getStateList()) {
      lost.getInvocationResultBuilder()
          .addStateMutations(PersistedValueMutation.newBuilder()
              .setStateName(state.getStateName())
              .setMutationType(PersistedValueMutation.MutationType.DELETE));
    }
    return lost.build();
  }
}
