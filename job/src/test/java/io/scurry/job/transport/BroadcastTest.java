// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction.InvocationResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Loads and unloads: to every worker, or to the one of a lane, and behind no request. */
@Timeout(30)
class BroadcastTest {
  private static final String ALL = "digits@1/load/all";

  private static CompletableFuture<FromFunction> unload(Bench bench) {
    return bench.call(Requests.call(ALL, Bounce.UNLOAD));
  }

  private static List<String> egresses(CompletableFuture<FromFunction> call) throws Exception {
    return call.get(10, TimeUnit.SECONDS).getInvocationResult().getOutgoingEgressesList().stream()
        .map(FromFunction.EgressMessage::getEgressType).collect(Collectors.toList());
  }

  @Test
  void everyProcessIsAskedAndAllAnswersCount() throws Exception {
    try (FakeWorker one = new FakeWorker(FakeWorker.ANSWER_ALL);
        FakeWorker two = new FakeWorker(FakeWorker.ANSWER_ALL);
        FakeWorker three = new FakeWorker(FakeWorker.ANSWER_ALL);
        Bench bench = new Bench(Bench.urls(one, two, three), "failure=bounce")) {
      assertEquals(List.of(ALL, ALL, ALL), egresses(unload(bench)));
      for (FakeWorker worker : List.of(one, two, three)) {
        assertEquals(List.of(ALL), worker.ids());
      }
    }
  }

  @Test
  void itIsDoneOnceTheOthersHaveAnsweredAndOneIsLost() throws Exception {
    CountDownLatch slow = new CountDownLatch(1);
    try (FakeWorker one = new FakeWorker(FakeWorker.ANSWER_ALL);
        FakeWorker two = new FakeWorker(exchange -> exchange.hangUp());
        FakeWorker three = new FakeWorker(exchange -> {
          slow.await();
          FakeWorker.ANSWER_ALL.serve(exchange);
        });
        Bench bench = new Bench(Bench.urls(one, two, three), "failure=bounce")) {
      CompletableFuture<FromFunction> call = unload(bench);
      Bench.await("all three", () -> one.ids().size() + two.ids().size() + three.ids().size() == 3);
      assertFalse(call.isDone());
      slow.countDown();
      assertEquals(List.of(ALL, ALL), egresses(call));
      assertEquals(1, one.ids().size() * two.ids().size() * three.ids().size(), "each is asked once");
    }
  }

  @Test
  void whenEveryProcessIsGoneThereIsNothingToUnload() throws Exception {
    String nobody = "http://127.0.0.1:" + FakeWorker.freePort();
    try (Bench bench = new Bench(nobody, "failure=bounce")) {
      FromFunction answer = unload(bench).get(10, TimeUnit.SECONDS);
      assertEquals(InvocationResponse.getDefaultInstance(), answer.getInvocationResult());
      assertEquals(InvocationResponse.getDefaultInstance(),
          unload(bench).get(10, TimeUnit.SECONDS).getInvocationResult());
    }
  }

  @Test
  void aLoadGoesWhereItsLaneGoesAndNotBehindItsRequests() throws Exception {
    CountDownLatch busy = new CountDownLatch(1);
    FakeWorker.Behaviour stuck = exchange -> {
      if (exchange.ids().get(0).endsWith("/1")) {
        if (exchange.ids().get(0).contains("load")) {
          FakeWorker.ANSWER_ALL.serve(exchange);
          return;
        }
        busy.await();
      }
      FakeWorker.ANSWER_ALL.serve(exchange);
    };
    try (FakeWorker one = new FakeWorker(stuck);
        FakeWorker two = new FakeWorker(stuck);
        Bench bench = new Bench(Bench.urls(one, two), "failure=bounce", "window=1", "late=20s")) {
      CompletableFuture<FromFunction> request = bench.call("digits@1/1");
      Bench.await("the request", () -> one.ids().size() + two.ids().size() == 1);
      assertEquals("digits@1/load/1", Bench.answer(bench.call("digits@1/load/1")));
      FakeWorker holder = one.ids().isEmpty() ? two : one;
      assertEquals(List.of("digits@1/1", "digits@1/load/1"), holder.ids());
      assertFalse(request.isDone());
      busy.countDown();
      assertEquals("digits@1/1", Bench.answer(request));
    }
  }

  @Test
  void aRequestIsNotAloneBesideALoad() throws Exception {
    CountDownLatch loading = new CountDownLatch(1);
    try (FakeWorker worker = new FakeWorker(exchange -> {
          if (exchange.ids().get(0).contains("load")) {
            loading.await();
          } else {
            exchange.fail(0, "out of memory");
            exchange.end();
          }
        });
        Bench bench = new Bench(worker.url(), "failure=bounce")) {
      CompletableFuture<FromFunction> load = bench.call("digits@1/load/0");
      Bench.await("the load", () -> worker.ids().size() == 1);
      assertFalse(Bench.bounced(bench.call("digits@1/solo/t")).getAlone());
      loading.countDown();
      worker.close();
      assertTrue(Bench.bounced(load).getCause().length() > 0);
    }
  }
}
