// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.statefun.flink.core.reqreply.RequestReplyClient;
import org.apache.flink.statefun.flink.core.reqreply.RequestReplyClientFactory;

/**
 * Makes the clients of {@code scurry.transports.v1/workers}; {@link TransportSettings} says what can be set.
 *
 * <p>StateFun asks for a client once per function type and subtask, at its first message, and calls {@link #cleanup} as
 * often as the closing subtask has endpoints: the two do not pair up. So what is counted is subtasks, each known by its
 * task thread, on which both are called. A subtask that ends without a cleanup is noticed by its thread's end.
 */
public final class WorkersClientFactory implements RequestReplyClientFactory {
  private final Map<Thread, Lease> leases = new HashMap<>();

  @Override
  public RequestReplyClient createTransportClient(ObjectNode transportProperties, URI endpointUrl) {
    TransportSettings settings = TransportSettings.of(transportProperties, endpointUrl);
    return new WorkersClient(lease(), settings);
  }

  @Override
  public void cleanup() {
    Lease lease;
    synchronized (leases) {
      lease = leases.remove(Thread.currentThread());
    }
    if (lease != null) {
      lease.close();
    }
  }

  private Lease lease() {
    synchronized (leases) {
      leases.values().removeIf(lease -> !lease.isOpen());
      return leases.computeIfAbsent(Thread.currentThread(), Loop::acquire);
    }
  }
}
