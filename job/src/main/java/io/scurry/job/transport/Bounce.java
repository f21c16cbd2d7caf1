// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import io.scurry.job.Names;
import io.scurry.wire.Messages.Bounced;
import org.apache.flink.statefun.sdk.TypeName;
import org.apache.flink.statefun.sdk.reqreply.generated.Address;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction.InvocationResponse;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/**
 * The answer to a call that no worker answered: each of its messages goes back, state stays as it is.
 *
 * <p>Requests return to the model's router, everything else to its registry; an Unload is dropped, for a worker that is
 * gone holds nothing.
 */
final class Bounce {
  static final String REQUESTS = Names.TYPE_PREFIX + "Requests";
  static final String REQUEST = Names.TYPE_PREFIX + "Request";
  static final String UNLOAD = Names.TYPE_PREFIX + "Unload";
  static final String BOUNCED = Names.TYPE_PREFIX + "Bounced";

  private Bounce() {}

  /**
   * Sends every message of a call back.
   *
   * @param executing the worker may have begun with it
   * @param alone nothing else was executing in that worker
   */
  static FromFunction of(ToFunction call, String cause, boolean executing, boolean alone) {
    String id = call.getInvocation().getTarget().getId();
    InvocationResponse.Builder response = InvocationResponse.newBuilder();
    for (ToFunction.Invocation invocation : call.getInvocation().getInvocationsList()) {
      TypedValue message = invocation.getArgument();
      if (message.getTypename().equals(UNLOAD)) {
        continue;
      }
      Bounced bounced = Bounced.newBuilder()
          .setMessage(message.getValue())
          .setTypename(message.getTypename())
          .setAddress(id)
          .setCause(cause)
          .setExecuting(executing)
          .setAlone(alone)
          .build();
      response.addOutgoingMessages(
          FromFunction.Invocation.newBuilder()
              .setTarget(origin(message.getTypename(), FunctionKey.model(id)))
              .setArgument(TypedValue.newBuilder()
                  .setTypename(BOUNCED)
                  .setHasValue(true)
                  .setValue(bounced.toByteString())));
    }
    return FromFunction.newBuilder().setInvocationResult(response).build();
  }

  private static Address origin(String typename, String model) {
    boolean request = typename.equals(REQUESTS) || typename.equals(REQUEST);
    TypeName function = TypeName.parseFrom(request ? Names.ROUTER : Names.REGISTRY);
    return Address.newBuilder().setNamespace(function.namespace()).setType(function.name()).setId(model).build();
  }
}
