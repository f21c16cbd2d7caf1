// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls find the right process, and another one when that is gone. */
@Timeout(30)
class FailoverTest {

  private static List<String> models(int count) {
    return IntStream.range(0, count).mapToObj(i -> "model-" + i + "@1/0").collect(Collectors.toList());
  }

  @Test
  void aModelStaysWithItsWorkerAndLanesAreSpread() throws Exception {
    try (FakeWorker one = new FakeWorker(FakeWorker.ANSWER_ALL);
        FakeWorker two = new FakeWorker(FakeWorker.ANSWER_ALL);
        Bench bench = new Bench(Bench.urls(one, two), "failure=bounce")) {
      for (int round = 0; round < 3; round++) {
        Bench.answers(bench.callAll(models(40)));
      }
      assertTrue(one.ids().stream().noneMatch(two.ids()::contains), "a model was asked at both");
      assertTrue(one.ids().size() > 20 && two.ids().size() > 20);
      one.exchanges.clear();
      two.exchanges.clear();
      Bench.answers(bench.callAll(List.of("hot@1/0", "hot@1/1", "hot@1/2", "hot@1/3")));
      List<String> even = List.of("hot@1/0", "hot@1/2");
      List<String> odd = List.of("hot@1/1", "hot@1/3");
      FakeWorker first = one.ids().contains("hot@1/0") ? one : two;
      assertEquals(even, first.ids());
      assertEquals(odd, (first == one ? two : one).ids());
    }
  }

  @Test
  void whereNobodyListensTheNextRankAnswersWithoutABounce() throws Exception {
    String nobody = "http://127.0.0.1:" + FakeWorker.freePort();
    try (FakeWorker worker = new FakeWorker(FakeWorker.ANSWER_ALL);
        Bench bench = new Bench(nobody + "," + worker.url(), "failure=bounce")) {
      assertEquals(models(50), Bench.answers(bench.callAll(models(50))));
      assertEquals(0, bench.failures.get());
    }
  }

  @Test
  void whatADrainingProcessRefusesGoesToTheNextRank() throws Exception {
    FakeWorker.Behaviour refuseAll = exchange -> {
      for (int i = 0; i < exchange.calls.size(); i++) {
        exchange.refuse(i);
      }
      exchange.end();
    };
    try (FakeWorker draining = new FakeWorker(refuseAll);
        FakeWorker worker = new FakeWorker(FakeWorker.ANSWER_ALL);
        Bench bench = new Bench(Bench.urls(draining, worker), "failure=bounce")) {
      draining.readyStatus = 503;
      assertEquals(models(50), Bench.answers(bench.callAll(models(50))));
      int asked = draining.exchanges.size();
      assertEquals(models(50), Bench.answers(bench.callAll(models(50))));
      assertEquals(asked, draining.exchanges.size(), "it was asked again while not ready");
      draining.behave(FakeWorker.ANSWER_ALL);
      draining.readyStatus = 200;
      Bench.await("its models to return", () -> {
        bench.callAll(models(50)).forEach(CompletableFuture::join);
        return draining.exchanges.size() > asked;
      });
      assertEquals(0, bench.failures.get());
    }
  }

  @Test
  void anUnavailableProcessIsPassedOver() throws Exception {
    try (FakeWorker starting = new FakeWorker(exchange -> exchange.status(503));
        FakeWorker worker = new FakeWorker(FakeWorker.ANSWER_ALL);
        Bench bench = new Bench(Bench.urls(starting, worker), "failure=bounce")) {
      starting.readyStatus = 503;
      assertEquals(models(50), Bench.answers(bench.callAll(models(50))));
    }
  }

  @Test
  void callsAreRetriedUntilTheProcessComesBack() throws Exception {
    int port = FakeWorker.freePort();
    AtomicInteger tries = new AtomicInteger();
    try (Bench bench = new Bench("http://127.0.0.1:" + port, "connect_patience=50ms")) {
      CompletableFuture<FromFunction> call = bench.call("digits");
      Thread.sleep(300);
      assertFalse(call.isDone());
      try (FakeWorker flaky = new FakeWorker(port, exchange -> {
        int now = tries.incrementAndGet();
        if (now == 1) {
          exchange.hangUp();
        } else if (now == 2) {
          exchange.fail(0, "not yet");
          exchange.end();
        } else if (now == 3) {
          exchange.status(500);
        } else if (now == 4) {
          exchange.status(404);
        } else {
          FakeWorker.ANSWER_ALL.serve(exchange);
        }
      })) {
        assertEquals("digits", Bench.answer(call));
        assertEquals(5, tries.get());
      }
    }
  }

  @Test
  void aCallThatWasLostTwiceIsAskedAlone() throws Exception {
    try (FakeWorker worker = new FakeWorker(exchange -> {
          if (exchange.ids().contains("poison") && exchange.calls.size() > 1) {
            exchange.hangUp();
          }
          FakeWorker.ANSWER_ALL.serve(exchange);
        });
        Bench bench = new Bench(worker.url(), "window=1", "late=10s")) {
      List<String> ids = new ArrayList<>(List.of("a", "poison", "b", "c", "d", "e"));
      assertEquals(ids, Bench.answers(bench.callAll(ids)));
    }
  }

  @Test
  void aKilledFunctionsProcessCostsNothingButTime() throws Exception {
    FakeWorker first = new FakeWorker(exchange -> Thread.sleep(60_000));
    int port = first.port();
    try (Bench bench = new Bench(first.url())) {
      List<CompletableFuture<FromFunction>> calls = bench.callAll(models(200));
      Bench.await("calls to arrive", () -> !first.exchanges.isEmpty());
      first.close();
      TimeUnit.MILLISECONDS.sleep(200);
      try (FakeWorker second = new FakeWorker(port, FakeWorker.ANSWER_ALL)) {
        assertEquals(models(200), Bench.answers(calls));
        assertEquals(200, second.ids().size());
      }
    }
  }
}
