// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import com.google.protobuf.ByteString;
import org.apache.flink.statefun.sdk.reqreply.generated.Address;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction.EgressMessage;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction.InvocationResponse;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/** Calls and answers as tests need them. */
final class Requests {
  private Requests() {}

  /** A call of the inference function with one message of each of these types. */
  static ToFunction call(String id, String... typenames) {
    ToFunction.InvocationBatchRequest.Builder batch = ToFunction.InvocationBatchRequest.newBuilder()
        .setTarget(Address.newBuilder().setNamespace("scurry").setType("inference").setId(id));
    for (String typename : typenames.length == 0 ? new String[] {Bounce.REQUESTS} : typenames) {
      batch.addInvocations(ToFunction.Invocation.newBuilder().setArgument(value(typename, "of " + id)));
    }
    return ToFunction.newBuilder().setInvocation(batch).build();
  }

  static TypedValue value(String typename, String text) {
    return TypedValue.newBuilder()
        .setTypename(typename)
        .setHasValue(true)
        .setValue(ByteString.copyFromUtf8(text))
        .build();
  }

  /** An answer that says whose it is. */
  static FromFunction answer(String id) {
    return FromFunction.newBuilder()
        .setInvocationResult(InvocationResponse.newBuilder()
            .addOutgoingEgresses(EgressMessage.newBuilder().setEgressType(id)))
        .build();
  }
}
