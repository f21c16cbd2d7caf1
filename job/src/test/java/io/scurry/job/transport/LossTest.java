// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.scurry.wire.Messages.Bounced;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a lost worker held comes back bounced, and nothing else does. */
@Timeout(30)
class LossTest {
  private static final FakeWorker.Behaviour SAY_NOTHING = exchange -> Thread.sleep(60_000);

  @Test
  void heartbeatsKeepALongCallAlive() throws Exception {
    try (FakeWorker worker = new FakeWorker(exchange -> {
          for (int i = 0; i < 12; i++) {
            Thread.sleep(50);
            exchange.heartbeat();
          }
          FakeWorker.ANSWER_ALL.serve(exchange);
        });
        Bench bench = new Bench(worker.url(), "failure=bounce", "silence=200ms")) {
      assertEquals("digits@1/0", Bench.answer(bench.call("digits@1/0")));
      assertEquals(1, worker.exchanges.size());
    }
  }

  @Test
  void aSilentProcessIsGivenUpInTime() throws Exception {
    try (FakeWorker worker = new FakeWorker(SAY_NOTHING);
        Bench bench = new Bench(worker.url(), "failure=bounce", "silence=200ms")) {
      long begin = System.nanoTime();
      Bounced bounced = Bench.bounced(bench.call("digits@1/0"));
      long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
      assertTrue(millis >= 200 && millis < 1500, () -> millis + " ms");
      assertTrue(bounced.getCause().contains("silent for 200 ms"), bounced.getCause());
      assertTrue(bounced.getExecuting());
      assertTrue(bounced.getAlone());
      assertEquals(1, bench.failures.get());
    }
  }

  @Test
  void whenTheAnswerEndsEarlyOnlyUnansweredCallsBounce() throws Exception {
    try (FakeWorker worker = new FakeWorker(exchange -> {
          exchange.answer(0);
          exchange.end();
        });
        Bench bench = new Bench(worker.url(), "failure=bounce")) {
      List<CompletableFuture<FromFunction>> calls = bench.callAll(List.of("a@1/0", "b@1/0", "c@1/0"));
      int answered = 0;
      for (CompletableFuture<FromFunction> call : calls) {
        FromFunction answer = call.get(5, TimeUnit.SECONDS);
        answered += answer.getInvocationResult().getOutgoingEgressesCount();
      }
      assertEquals(worker.exchanges.size(), answered);
      assertTrue(answered < 3);
    }
  }

  @Test
  void whenTheConnectionBreaksOnlyUnansweredCallsBounce() throws Exception {
    try (FakeWorker worker = new FakeWorker(exchange -> {
          for (int i = 0; i < exchange.calls.size(); i++) {
            if (!exchange.ids().get(i).startsWith("poison")) {
              exchange.answer(i);
            }
          }
          if (exchange.ids().toString().contains("poison")) {
            Thread.sleep(50);
            exchange.hangUp();
          }
          exchange.end();
        });
        Bench bench = new Bench(worker.url(), "failure=bounce")) {
      CompletableFuture<FromFunction> poison = bench.call("poison@1/0");
      assertEquals("a@1/0", Bench.answer(bench.call("a@1/0")));
      Bounced bounced = Bench.bounced(poison);
      assertTrue(bounced.getExecuting());
      assertEquals("b@1/0", Bench.answer(bench.call("b@1/0")), "it is asked again once it proves healthy");
    }
  }

  @Test
  void callsThatExecutedTogetherAreNotAlone() throws Exception {
    try (FakeWorker worker = new FakeWorker(SAY_NOTHING);
        Bench bench = new Bench(worker.url(), "failure=bounce")) {
      CompletableFuture<FromFunction> first = bench.call("a@1/0");
      Bench.await("the first", () -> worker.ids().size() == 1);
      CompletableFuture<FromFunction> second = bench.call("b@1/0");
      Bench.await("the second", () -> worker.ids().size() == 2);
      worker.close();
      assertFalse(Bench.bounced(first).getAlone());
      assertFalse(Bench.bounced(second).getAlone());
    }
  }

  @Test
  void aCallThatTheProcessFailsBouncesWithItsSentence() throws Exception {
    try (FakeWorker worker = new FakeWorker(exchange -> {
          exchange.fail(0, "out of memory");
          exchange.end();
        });
        Bench bench = new Bench(worker.url(), "failure=bounce")) {
      Bounced bounced = Bench.bounced(bench.call("digits@1/solo/7"));
      assertTrue(bounced.getCause().endsWith("out of memory"), bounced.getCause());
      assertTrue(bounced.getExecuting());
      assertTrue(bounced.getAlone());
    }
  }

  @Test
  void bytesThatAreNoFramesBounceTheCall() throws Exception {
    try (FakeWorker worker = new FakeWorker(exchange -> {
          exchange.frame(99, Frames.ANSWER, new byte[0]);
          exchange.end();
        });
        Bench bench = new Bench(worker.url(), "failure=bounce")) {
      assertTrue(Bench.bounced(bench.call("a@1/0")).getCause().contains("answer to call 99"));
      worker.behave(exchange -> exchange.frame(0, Frames.ANSWER, new byte[] {-1, -1}));
      assertTrue(Bench.bounced(bench.call("b@1/0")).getCause().contains("no FromFunction"));
    }
  }

  @Test
  void aServerErrorBouncesAndTooLargeAnExchangeIsSplit() throws Exception {
    try (FakeWorker worker = new FakeWorker(exchange -> exchange.status(500));
        Bench bench = new Bench(worker.url(), "failure=bounce")) {
      assertTrue(Bench.bounced(bench.call("a@1/0")).getCause().contains("HTTP 500"));
      worker.behave(exchange -> {
        if (exchange.calls.size() > 1) {
          exchange.status(413);
        } else {
          Thread.sleep(5);
          FakeWorker.ANSWER_ALL.serve(exchange);
        }
      });
      List<String> ids = List.of("a@1/0", "b@1/0", "c@1/0", "d@1/0", "e@1/0", "f@1/0");
      assertEquals(ids, Bench.answers(bench.callAll(ids)));
    }
  }

  @Test
  void withoutAnyWorkerCallsWaitAndThenBounceUnexecuted() throws Exception {
    String nobody = "http://127.0.0.1:" + FakeWorker.freePort();
    try (Bench bench = new Bench(nobody, "failure=bounce", "connect_patience=300ms")) {
      long begin = System.nanoTime();
      Bounced bounced = Bench.bounced(bench.call("digits@1/0"));
      long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
      assertTrue(millis >= 300 && millis < 2000, () -> millis + " ms");
      assertFalse(bounced.getExecuting());
      assertFalse(bounced.getAlone());
      assertTrue(bounced.getCause().contains("no worker can be reached"), bounced.getCause());
    }
  }

  @Test
  void aWorkerThatComesBackWithinPatienceAnswersWhatWaited() throws Exception {
    int port = FakeWorker.freePort();
    try (Bench bench = new Bench("http://127.0.0.1:" + port, "failure=bounce", "connect_patience=20s")) {
      CompletableFuture<FromFunction> call = bench.call("digits@1/0");
      Thread.sleep(200);
      assertFalse(call.isDone());
      try (FakeWorker worker = new FakeWorker(port, FakeWorker.ANSWER_ALL)) {
        assertEquals("digits@1/0", Bench.answer(call));
      }
    }
  }
}
