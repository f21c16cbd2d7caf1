// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls share exchanges, and none waits for another's model. */
@Timeout(30)
class CoalescingTest {

  private static List<String> ids(int count) {
    return IntStream.range(0, count).mapToObj(i -> "model-" + i + "@1/0").collect(Collectors.toList());
  }

  @Test
  void manyCallsTravelInFewExchanges() throws Exception {
    try (FakeWorker worker = new FakeWorker(exchange -> {
          Thread.sleep(3);
          FakeWorker.ANSWER_ALL.serve(exchange);
        });
        Bench bench = new Bench(worker.url(), "failure=bounce", "late=1s")) {
      List<String> ids = ids(1000);
      assertEquals(ids, Bench.answers(bench.callAll(ids)));
      assertTrue(worker.exchanges.size() <= 12, () -> worker.exchanges.size() + " exchanges");
      assertEquals("POST /calls HTTP/1.1", worker.exchanges.get(0).requestLine);
      assertEquals(ids.size(), new HashSet<>(worker.ids()).size());
      assertEquals(ids.size(), worker.ids().size());
      assertEquals(ids.size(), bench.latencies.get());
    }
  }

  @Test
  void capsOnCallsAndBytesAreKept() throws Exception {
    try (FakeWorker worker = new FakeWorker(FakeWorker.ANSWER_ALL);
        Bench bench = new Bench(worker.url(), "max_calls=10")) {
      Bench.answers(bench.callAll(ids(100)));
      worker.exchanges.forEach(exchange -> assertTrue(exchange.calls.size() <= 10));
    }
    try (FakeWorker worker = new FakeWorker(FakeWorker.ANSWER_ALL);
        Bench bench = new Bench(worker.url(), "max_bytes=200")) {
      Bench.answers(bench.callAll(ids(50)));
      worker.exchanges.forEach(exchange -> assertTrue(exchange.calls.size() <= 3));
    }
  }

  @Test
  void answersMayComeInAnyOrder() throws Exception {
    try (FakeWorker worker = new FakeWorker(exchange -> {
          List<Integer> order = IntStream.range(0, exchange.calls.size()).boxed().collect(Collectors.toList());
          Collections.shuffle(order);
          for (int index : order) {
            exchange.answer(index);
          }
          exchange.end();
        });
        Bench bench = new Bench(worker.url())) {
      List<String> ids = ids(300);
      assertEquals(ids, Bench.answers(bench.callAll(ids)));
    }
  }

  @Test
  void anAnswerIsHandedOnBeforeTheExchangeEnds() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    try (FakeWorker worker = new FakeWorker(exchange -> {
          exchange.answer(0);
          release.await();
          exchange.end();
        });
        Bench bench = new Bench(worker.url())) {
      assertEquals("a", Bench.answer(bench.call("a")));
      release.countDown();
    }
  }

  @Test
  void slowCallsDoNotDelayFastOnes() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    try (FakeWorker worker = new FakeWorker(exchange -> {
          for (int i = 0; i < exchange.calls.size(); i++) {
            if (exchange.ids().get(i).startsWith("slow")) {
              release.await();
            }
            exchange.answer(i);
          }
          exchange.end();
        });
        Bench bench = new Bench(worker.url(), "window=2")) {
      List<CompletableFuture<FromFunction>> slow = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        slow.add(bench.call("slow-" + i));
        int sent = i + 1;
        Bench.await("the slow call to arrive", () -> worker.ids().size() == sent);
      }
      for (int i = 0; i < 20; i++) {
        assertEquals("fast-" + i, Bench.answer(bench.call("fast-" + i)));
      }
      slow.forEach(call -> assertFalse(call.isDone()));
      release.countDown();
      Bench.answers(slow);
    }
  }

  @Test
  void theWindowHoldsWhileExchangesArePunctual() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    try (FakeWorker worker = new FakeWorker(exchange -> {
          release.await();
          FakeWorker.ANSWER_ALL.serve(exchange);
        });
        Bench bench = new Bench(worker.url(), "window=2", "late=20s")) {
      List<CompletableFuture<FromFunction>> calls = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        calls.add(bench.call("first-" + i));
        int sent = i + 1;
        Bench.await("an exchange of its own", () -> worker.exchanges.size() == sent);
      }
      calls.addAll(bench.callAll(ids(50)));
      Thread.sleep(50);
      assertEquals(2, worker.exchanges.size());
      release.countDown();
      Bench.answers(calls);
      assertEquals(50, worker.exchanges.get(2).calls.size());
    }
  }

  @Test
  void soloCallsTravelAlone() throws Exception {
    try (FakeWorker worker = new FakeWorker(FakeWorker.ANSWER_ALL);
        Bench bench = new Bench(worker.url())) {
      List<String> ids = new ArrayList<>(ids(20));
      for (int i = 0; i < 5; i++) {
        ids.add(4 * i, "digits@1/solo/" + i);
      }
      Bench.answers(bench.callAll(ids));
      for (FakeWorker.Received exchange : worker.exchanges) {
        boolean solo = exchange.ids().stream().anyMatch(id -> id.contains("/solo/"));
        assertTrue(!solo || exchange.calls.size() == 1, () -> exchange.ids().toString());
      }
    }
  }

  @Test
  void largeAnswersArriveWhole() throws Exception {
    String large = "x".repeat(3_000_000);
    try (FakeWorker worker = new FakeWorker(exchange -> {
          for (int i = 0; i < exchange.calls.size(); i++) {
            exchange.frame(i, Frames.ANSWER, Requests.answer(large).toByteArray());
          }
          exchange.end();
        });
        Bench bench = new Bench(worker.url())) {
      for (CompletableFuture<FromFunction> call : bench.callAll(ids(3))) {
        assertEquals(large, Bench.answer(call));
      }
    }
  }

  @Test
  void theFirstCallIsAnsweredWithoutTheProcess() throws Exception {
    try (Bench bench = new Bench("http://127.0.0.1:" + FakeWorker.freePort())) {
      assertFalse(bench.call("second").isDone()); // the constructor made the first
    }
  }

  @Test
  void idleConnectionsAreClosed() throws Exception {
    try (FakeWorker worker = new FakeWorker(FakeWorker.ANSWER_ALL);
        Bench bench = new Bench(worker.url(), "idle=100ms", "silence=200ms")) {
      Bench.answer(bench.call("a"));
      Bench.await("the connection to close", () -> bench.client.toString().contains("0 connections"));
      assertEquals("b", bench.call("b").thenApply(answer -> answer.getInvocationResult().getOutgoingEgresses(0)
          .getEgressType()).get(5, TimeUnit.SECONDS));
    }
  }
}
