// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.util.concurrent.CompletableFuture;
import org.apache.flink.statefun.flink.core.metrics.RemoteInvocationMetrics;
import org.apache.flink.statefun.flink.core.reqreply.RequestReplyClient;
import org.apache.flink.statefun.flink.core.reqreply.ToFunctionRequestSummary;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction.IncompleteInvocationContext;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;

/**
 * Hands the calls of one function type in one subtask to the event loop.
 *
 * <p>StateFun blocks its task thread on the first call of each client. So that one is answered here, with "states are
 * missing: none": StateFun registers nothing, sends the same messages again and this time does not wait. States that the
 * function really misses are registered by the answer to that.
 */
final class WorkersClient implements RequestReplyClient {
  private static final FromFunction ASK_AGAIN =
      FromFunction.newBuilder()
          .setIncompleteInvocationContext(IncompleteInvocationContext.getDefaultInstance())
          .build();

  private final Lease lease;
  private final Dispatcher dispatcher;
  private boolean greeted;

  WorkersClient(Lease lease, TransportSettings settings) {
    this.lease = lease;
    this.dispatcher = lease.loop().dispatcher(settings);
  }

  @Override
  public CompletableFuture<FromFunction> call(
      ToFunctionRequestSummary summary, RemoteInvocationMetrics metrics, ToFunction request) {
    if (!greeted) {
      greeted = true;
      return CompletableFuture.completedFuture(ASK_AGAIN);
    }
    Call call = new Call(request, metrics, lease);
    dispatcher.submit(call);
    return call.answer;
  }

  @Override
  public String toString() {
    return "<WorkersClient of " + dispatcher + ">";
  }
}
