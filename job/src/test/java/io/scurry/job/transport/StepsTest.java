// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.scurry.wire.Messages.Bounced;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Requests;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction.PersistedValueMutation.MutationType;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The steps of a sequence are asked for in their place until somebody answers, and then each by itself. */
@Timeout(60)
class StepsTest {
  private static final String KEY = "sum@1/seq/7";

  /** A call with one step and the sequence's state. */
  private static ToFunction call() {
    ByteString step = Requests.newBuilder().addRequests(Request.newBuilder().setId("a")).build().toByteString();
    ToFunction.Builder call = io.scurry.job.transport.Requests.call(KEY).toBuilder();
    call.getInvocationBuilder().getInvocationsBuilder(0).getArgumentBuilder().setValue(step);
    call.getInvocationBuilder()
        .addState(ToFunction.PersistedValue.newBuilder().setStateName("inference").setStateValue(
            TypedValue.newBuilder().setHasValue(true).setValue(ByteString.copyFromUtf8("kept"))));
    return call.build();
  }

  private static Requests steps(ToFunction call) throws Exception {
    return Requests.parseFrom(call.getInvocation().getInvocations(0).getArgument().getValue());
  }

  @Test
  void whatLostItsWorkerIsAskedForByItselfAndNothingElseOfItChanges() throws Exception {
    ToFunction apart = Steps.apart(Steps.apart(call()));
    assertTrue(steps(apart).getSolo());
    assertFalse(steps(call()).getSolo());
    assertEquals(steps(call()).getRequestsList(), steps(apart).getRequestsList());
    assertEquals(call().getInvocation().getStateList(), apart.getInvocation().getStateList());
  }

  @Test
  void aLostCallIsAskedAgainInItsPlace() throws Exception {
    AtomicInteger losses = new AtomicInteger(3);
    try (FakeWorker worker = new FakeWorker(exchange -> {
          if (losses.getAndDecrement() > 0) {
            exchange.hangUp();
          } else {
            FakeWorker.ANSWER_ALL.serve(exchange);
          }
        });
        Bench bench = new Bench(worker.url(), "failure=bounce")) {
      assertEquals(KEY, Bench.answer(bench.call(call())));
      assertEquals(List.of(KEY, KEY, KEY, KEY), worker.ids());
      assertEquals(3, bench.failures.get());
    }
  }

  @Test
  void withoutAnyWorkerItWaitsForOne() throws Exception {
    int port = FakeWorker.freePort();
    try (Bench bench = new Bench("http://127.0.0.1:" + port, "failure=bounce", "connect_patience=100ms")) {
      CompletableFuture<FromFunction> call = bench.call(call());
      assertTrue(Bench.bounced(bench.call("sum@1/0")).getCause().contains("no worker can be reached"));
      assertFalse(call.isDone());
      try (FakeWorker worker = new FakeWorker(port, FakeWorker.ANSWER_ALL)) {
        assertEquals(KEY, Bench.answer(call));
      }
    }
  }

  @Test
  void whatIsLostForGoodTakesItsSequenceWithIt() throws Exception {
    ToFunction call = call();
    FromFunction lost = Steps.lost(call, Bounce.of(call, "lost", true, true));
    Bounced bounced = Bounced.parseFrom(lost.getInvocationResult().getOutgoingMessages(0).getArgument().getValue());
    assertEquals(KEY, bounced.getAddress());
    assertEquals(MutationType.DELETE, lost.getInvocationResult().getStateMutations(0).getMutationType());
    assertEquals("inference", lost.getInvocationResult().getStateMutations(0).getStateName());
  }
}
