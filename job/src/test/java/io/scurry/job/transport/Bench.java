// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.scurry.wire.Messages.Bounced;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.statefun.flink.core.metrics.RemoteInvocationMetrics;
import org.apache.flink.statefun.flink.core.reqreply.RequestReplyClient;
import org.apache.flink.statefun.flink.core.reqreply.ToFunctionRequestSummary;
import org.apache.flink.statefun.sdk.Address;
import org.apache.flink.statefun.sdk.FunctionType;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;

/** The workbench of a test: one client over some fake workers, called as StateFun calls it. */
final class Bench implements AutoCloseable, RemoteInvocationMetrics {
  private static final ToFunctionRequestSummary SUMMARY =
      new ToFunctionRequestSummary(new Address(new FunctionType("scurry", "inference"), "any"), 0, 0, 1);

  final WorkersClientFactory factory = new WorkersClientFactory();
  final RequestReplyClient client;
  final AtomicInteger failures = new AtomicInteger();
  final AtomicInteger latencies = new AtomicInteger();

  /** A client with these settings ({@code name=value}) that has had its first call. */
  Bench(String addresses, String... settings) throws Exception {
    ObjectNode properties = new ObjectMapper().createObjectNode();
    properties.put("addresses", addresses);
    for (String setting : settings) {
      properties.put(setting.substring(0, setting.indexOf('=')), setting.substring(setting.indexOf('=') + 1));
    }
    client = make(properties);
    FromFunction first = call("first").get(1, TimeUnit.SECONDS);
    assertEquals(0, first.getIncompleteInvocationContext().getMissingValuesCount());
  }

  private RequestReplyClient make(ObjectNode properties) {
    try {
      return factory.createTransportClient(properties, URI.create("http://nowhere.invalid:1"));
    } catch (RuntimeException e) {
      factory.cleanup();
      throw e;
    }
  }

  static String urls(FakeWorker... workers) {
    return Arrays.stream(workers).map(FakeWorker::url).collect(Collectors.joining(","));
  }

  CompletableFuture<FromFunction> call(String id) {
    return call(Requests.call(id));
  }

  CompletableFuture<FromFunction> call(ToFunction request) {
    return client.call(SUMMARY, this, request);
  }

  List<CompletableFuture<FromFunction>> callAll(List<String> ids) {
    return ids.stream().map(this::call).collect(Collectors.toList());
  }

  /** What the fake workers answer with: the id of the call. */
  static String answer(CompletableFuture<FromFunction> call) throws Exception {
    FromFunction answer = call.get(10, TimeUnit.SECONDS);
    assertEquals(1, answer.getInvocationResult().getOutgoingEgressesCount(), () -> "no answer but " + answer);
    return answer.getInvocationResult().getOutgoingEgresses(0).getEgressType();
  }

  static List<String> answers(List<CompletableFuture<FromFunction>> calls) throws Exception {
    List<String> answers = new ArrayList<>();
    for (CompletableFuture<FromFunction> call : calls) {
      answers.add(answer(call));
    }
    return answers;
  }

  /** The one message that a lost call sends back. */
  static Bounced bounced(CompletableFuture<FromFunction> call) throws Exception {
    FromFunction answer = call.get(10, TimeUnit.SECONDS);
    assertEquals(1, answer.getInvocationResult().getOutgoingMessagesCount(), () -> "not bounced but " + answer);
    return Bounced.parseFrom(answer.getInvocationResult().getOutgoingMessages(0).getArgument().getValue());
  }

  static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what);
      }
      Thread.sleep(2);
    }
  }

  @Override
  public void remoteInvocationFailures() {
    failures.incrementAndGet();
  }

  @Override
  public void remoteInvocationLatency(long elapsed) {
    latencies.incrementAndGet();
  }

  @Override
  public void close() {
    factory.cleanup();
  }
}
