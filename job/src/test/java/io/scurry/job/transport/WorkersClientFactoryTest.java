// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.flink.statefun.extensions.ExtensionModule;
import org.apache.flink.statefun.sdk.TypeName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The event loop lives as long as a subtask needs it. */
@Timeout(30)
class WorkersClientFactoryTest {

  /** Stands for the task thread of one subtask. */
  private static final class Subtask implements AutoCloseable {
    private final ExecutorService thread = Executors.newSingleThreadExecutor();

    <T> T run(Callable<T> work) throws Exception {
      return thread.submit(work).get(10, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws InterruptedException {
      thread.shutdownNow();
      assertTrue(thread.awaitTermination(5, TimeUnit.SECONDS));
    }
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("scurry-transport") && thread.isAlive())
        .count();
  }

  @Test
  void theLoopStopsWithTheLastSubtaskAndStartsAgain() throws Exception {
    Bench.await("earlier tests to end", () -> threads() == 0);
    try (FakeWorker worker = new FakeWorker(FakeWorker.ANSWER_ALL);
        Subtask one = new Subtask();
        Subtask two = new Subtask()) {
      Bench first = one.run(() -> new Bench(worker.url()));
      Bench second = two.run(() -> new Bench(worker.url()));
      assertEquals(2, Loop.holders());
      assertEquals(1, threads());
      one.run(() -> {
        first.factory.cleanup();
        first.factory.cleanup(); // once for each endpoint
        return null;
      });
      assertEquals(1, Loop.holders());
      assertEquals("a", Bench.answer(second.call("a")));
      two.run(() -> {
        second.factory.cleanup();
        return null;
      });
      assertEquals(0, Loop.holders());
      Bench.await("the thread to end", () -> threads() == 0);
      Bench restarted = one.run(() -> new Bench(worker.url()));
      assertEquals("b", Bench.answer(restarted.call("b")));
      one.run(() -> {
        restarted.factory.cleanup();
        return null;
      });
    }
  }

  @Test
  void oneFactorySharedBySubtasksCountsEach() throws Exception {
    try (FakeWorker worker = new FakeWorker(FakeWorker.ANSWER_ALL);
        Subtask one = new Subtask();
        Subtask two = new Subtask()) {
      Bench bench = one.run(() -> new Bench(worker.url()));
      two.run(() -> bench.factory.createTransportClient(
          new org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper().createObjectNode(),
          java.net.URI.create(worker.url())));
      int holders = Loop.holders();
      two.run(() -> {
        bench.factory.cleanup();
        return null;
      });
      assertEquals(holders - 1, Loop.holders());
      assertEquals("a", Bench.answer(bench.call("a")));
      one.run(() -> {
        bench.factory.cleanup();
        return null;
      });
    }
  }

  @Test
  void aSubtaskThatDiesWithoutCleanupIsNoticed() throws Exception {
    try (FakeWorker worker = new FakeWorker(FakeWorker.ANSWER_ALL)) {
      Subtask doomed = new Subtask();
      doomed.run(() -> new Bench(worker.url()));
      doomed.close();
      Bench.await("its share to be given back", () -> Loop.holders() == 0);
    }
  }

  @Test
  void theModuleIsFoundAndBindsTheTransport() {
    ExtensionModule module = ServiceLoader.load(ExtensionModule.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(WorkersTransportModule.class::isInstance)
        .findFirst()
        .orElse(null);
    assertNotNull(module);
    module.configure(java.util.Map.of(), new ExtensionModule.Binder() {
      @Override
      public <T> void bindExtension(TypeName typeName, T extension) {
        assertEquals("scurry.transports.v1/workers", typeName.canonicalTypenameString());
        assertEquals(WorkersClientFactory.class, extension.getClass());
      }
    });
  }
}
