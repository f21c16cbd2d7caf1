// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.util.concurrent.CompletableFuture;
import org.apache.flink.statefun.flink.core.metrics.RemoteInvocationMetrics;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;

/** One call on its way to an answer. Made on Flink's thread, after that touched by the event loop only. */
final class Call {
  final RemoteInvocationMetrics metrics;
  final Lease lease;
  final long made = System.nanoTime();
  final CompletableFuture<FromFunction> answer = new CompletableFuture<>();

  /** What is asked; changed only for steps of a sequence that lost their worker. */
  ToFunction request;
  int size;

  /** Where it belongs; found on the event loop. */
  FunctionKey key;

  /** How often it was delivered and not answered. */
  int losses;

  /** Must not share an exchange: solo, or suspected of having sunk one. */
  boolean apart;

  /** One of several copies of a call: for this process only, never for another. */
  boolean copied;

  /** When it first found no process to go to, or 0. */
  long stranded;

  Call(ToFunction request, RemoteInvocationMetrics metrics, Lease lease) {
    this.request = request;
    this.size = request.getSerializedSize();
    this.metrics = metrics;
    this.lease = lease;
  }

  /** From now on each of its steps is to be computed by itself. */
  void askApart() {
    request = Steps.apart(request);
    size = request.getSerializedSize();
  }

  String id() {
    return request.getInvocation().getTarget().getId();
  }

  @Override
  public String toString() {
    return "<Call " + id() + " " + size + " bytes, " + losses + " losses" + (apart ? ", apart" : "") + ">";
  }
}
