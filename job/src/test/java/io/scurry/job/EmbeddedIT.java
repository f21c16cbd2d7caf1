// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.scurry.job.link.RedisServer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.XAddParams;

/** The launcher with a whole Flink, on a real Redis: starts, resumes, passes over damage, stops. */
@Timeout(120)
class EmbeddedIT {
  @TempDir Path dir;
  private RedisServer redis;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private Embedded job;
  private CompletableFuture<String> end;

  @BeforeEach
  void start() throws Exception {
    redis = RedisServer.start(dir);
  }

  @AfterEach
  void stop() throws Exception {
    if (job != null) {
      job.stop();
    }
    if (redis != null) {
      redis.close();
    }
  }

  private Embedded embedded(String url) throws Exception {
    Path module = Files.writeString(dir.resolve("module.yaml"),
        "kind: scurry.redis.v1/ingress\nspec:\n  separateRegistry: 1\n  redis: " + url + "\n---\n"
            + "kind: scurry.redis.v1/egress\nspec:\n  redis: " + url + "\n---\n"
            + "kind: io.statefun.endpoints.v2/http\nspec:\n  functions: scurry/*\n  urlPathTemplate: http://localhost:1\n");
    return new Embedded(
        Options.parse("--module", module.toString(), "--data", dir.resolve("data").toString(), "--ui-port", "-1",
            "--checkpoint-interval", "100ms"),
        new PrintStream(out, true));
  }

  private void run() throws Exception {
    out.reset();
    job = embedded(redis.url());
    end = new CompletableFuture<>();
    new Thread(() -> {
      try {
        end.complete(job.run());
      } catch (Throwable e) {
        end.completeExceptionally(e);
      }
    }).start();
    await(() -> end.isDone() || out.toString().contains("scurry job is running"));
    assertFalse(end.isDone(), out::toString);
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    for (int i = 0; i < 1_200 && !condition.getAsBoolean(); i++) {
      Thread.sleep(50);
    }
    assertTrue(condition.getAsBoolean());
  }

  private List<Path> checkpoints() {
    return new SavedCheckpoints(dir.resolve("data/checkpoints")).newestFirst();
  }

  private void endRun() throws Exception {
    job.stop();
    assertNull(end.get(20, TimeUnit.SECONDS));
  }

  private static void truncate(Path checkpoint) throws Exception {
    Files.write(checkpoint.resolve("_metadata"), new byte[10], StandardOpenOption.TRUNCATE_EXISTING);
  }

  @Test
  void eachRunResumesAndForgetsTheRunsBefore() throws Exception {
    run();
    await(() -> checkpoints().size() >= 2);
    endRun();
    Path firstRun = checkpoints().get(0).getParent();
    run();
    await(() -> !Files.exists(firstRun) && !checkpoints().isEmpty());
    endRun();
  }

  @Test
  void aDamagedCheckpointIsPassedOverAndNoneLeftIsSaid() throws Exception {
    run();
    await(() -> checkpoints().size() == 2);
    endRun();
    List<Path> saved = checkpoints();
    truncate(saved.get(0));
    run();
    endRun();
    for (Path checkpoint : checkpoints()) {
      truncate(checkpoint);
    }
    Misconfigured e = assertThrows(Misconfigured.class, () -> embedded(redis.url()).run());
    assertTrue(e.getMessage().startsWith("No checkpoint in "), e.getMessage());
  }

  @Test
  void aSecondJobInTheSameDirectoryIsRefused() throws Exception {
    run();
    Misconfigured e = assertThrows(Misconfigured.class, () -> embedded(redis.url()).run());
    assertTrue(e.getMessage().startsWith("Another job is running in "), e.getMessage());
    endRun();
  }

  @Test
  void aRedisThatRefusesIsSaidBeforeAnythingRuns() throws Exception {
    String url = redis.url().replace("redis://", "redis://u:p@");
    Misconfigured e = assertThrows(Misconfigured.class, () -> embedded(url).run());
    assertTrue(e.getMessage().contains("refuses the job"), e.getMessage());
    assertEquals("", out.toString());
  }

  /** Addresses, in the kernel's words, on which this process listens. */
  private static List<String> listening() throws Exception {
    Set<String> mine = new HashSet<>();
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      for (Path file : files.collect(Collectors.toList())) {
        if (Files.isSymbolicLink(file)) {
          mine.add(Files.readSymbolicLink(file).toString());
        }
      }
    }
    List<String> addresses = new ArrayList<>();
    for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
      for (String line : Files.readAllLines(Path.of(table))) {
        String[] words = line.trim().split("\\s+");
        if (words[3].equals("0A") && mine.contains("socket:[" + words[9] + "]")) {
          addresses.add(words[1]);
        }
      }
    }
    return addresses;
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void nothingListensBeyondLoopback() throws Exception {
    run();
    List<String> addresses = listening();
    assertFalse(addresses.isEmpty());
    for (String address : addresses) {
      boolean four = address.startsWith("0100007F:");
      boolean six = address.startsWith("0000000000000000FFFF00000100007F:") || address.startsWith("00000000000000000000000001000000:");
      assertTrue(four || six, address + " in " + addresses);
    }
    endRun();
  }

  @Test
  void whatTheIngressRefusesIsAnsweredWithoutAnyFunction() throws Exception {
    run();
    try (Jedis jedis = redis.client()) {
      jedis.xadd("scurry:requests", XAddParams.xAddParams(),
          Map.of("kind", "registry", "model", "m", "id", "i", "update", "{}"));
      await(() -> jedis.exists("scurry:result:i"));
      assertEquals("not_allowed", jedis.hget("scurry:result:i", "error"));
    }
    endRun();
  }
}
