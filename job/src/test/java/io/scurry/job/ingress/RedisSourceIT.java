// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.scurry.job.link.RedisServer;
import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Requests;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.params.XTrimParams;

/** The ingress inside Flink's operator, on a real Redis. */
@Timeout(60)
class RedisSourceIT {
  @TempDir Path dir;
  private RedisServer server;
  private Jedis redis;
  private final List<SourceRun> runs = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    server = RedisServer.start(dir);
    redis = server.client();
  }

  @AfterEach
  void stop() throws Exception {
    for (SourceRun run : runs) {
      run.close();
    }
    if (server != null) {
      redis.close();
      server.close();
    }
  }

  private SourceRun run(OperatorSubtaskState state, String... fields) throws Exception {
    return run(state, 1, 0, fields);
  }

  private SourceRun run(OperatorSubtaskState state, int parallelism, int index, String... fields) throws Exception {
    List<String> all = new ArrayList<>(List.of("redis", server.url()));
    all.addAll(List.of(fields));
    SourceRun run = new SourceRun(Given.ingress(all.toArray(new String[0])), parallelism, index, state);
    runs.add(run);
    return run;
  }

  private void add(String stream, int from, int to) {
    for (int i = from; i < to; i++) {
      redis.xadd(stream, (StreamEntryID) null, Map.of("model", "m" + i % 3, "id", "i" + i, "inputs", "{}"));
    }
  }

  private void add(int from, int to) {
    add("scurry:requests", from, to);
  }

  @Test
  void withoutStateEverythingIsReadFromTheBeginning() throws Exception {
    add(0, 10);
    SourceRun run = run(null);
    assertEquals(10, run.await(10).size());
    add(10, 12);
    assertEquals(12, run.await(12).size());
  }

  @Test
  void aRestoreContinuesExactlyWhereTheCheckpointStood() throws Exception {
    add(0, 10);
    SourceRun first = run(null);
    first.await(10);
    OperatorSubtaskState state = first.snapshot(1);
    add(10, 20);
    first.await(20);
    first.close();
    add(20, 30);
    List<String> read = run(state).await(20);
    assertEquals("i10", read.stream().min((a, b) -> Integer.parseInt(a.substring(1)) - Integer.parseInt(b.substring(1)))
        .orElse(""));
    assertEquals(20, read.size());
  }

  @Test
  void aStateThatWasTakenBeforeTheFirstReadIsRestored() throws Exception {
    OperatorSubtaskState state = run(null).snapshot(1);
    add(0, 3);
    assertEquals(3, run(state).await(3).size());
  }

  @Test
  void aTrimmedPositionFailsForGood() throws Exception {
    OperatorSubtaskState state = trimmedBeyond();
    SourceRun run = run(state);
    Throwable failure = run.awaitFailure();
    assertTrue(failure.toString().contains("SuppressRestarts"), failure.toString());
    assertTrue(failure.getCause().getMessage().contains("cannot be continued without loss"), failure.toString());
    assertEquals("1", redis.hget("scurry:job", "gaps"));
  }

  @Test
  void aCompletedCheckpointIsNotedWithRedisMemory() throws Exception {
    long before = System.currentTimeMillis();
    add(0, 1);
    SourceRun run = run(null);
    run.await(1);
    run.snapshot(1);
    run.complete(1);
    for (int i = 0; i < 200 && !redis.hexists("scurry:job", "checkpoint"); i++) {
      Thread.sleep(25);
    }
    Map<String, String> told = redis.hgetAll("scurry:job");
    assertTrue(Long.parseLong(told.get("checkpoint")) >= before, told.toString());
    assertTrue(Long.parseLong(told.get("memory")) > 1 << 16, told.toString());
    assertTrue(Long.parseLong(told.get("most_memory")) > Long.parseLong(told.get("memory")), told.toString());
  }

  @Test
  void aClusterWantsANamespaceInBraces() throws Exception {
    try (RedisServer alone =
        RedisServer.start(Files.createDirectory(dir.resolve("alone")), "--cluster-enabled", "yes")) {
      alone.addAllSlots();
      SuppressRestartsException failure =
          assertThrows(SuppressRestartsException.class, () -> run(null, "redis", alone.url()));
      assertTrue(failure.getCause().getMessage().contains("SCURRY_NAMESPACE={scurry}"), failure.toString());
    }
  }

  @Test
  void aTrimmedPositionIsPassedOverWhenToldTo() throws Exception {
    OperatorSubtaskState state = trimmedBeyond();
    List<String> read = run(state, "onGap", "resume").await(2);
    assertEquals(List.of("i18", "i19"), read);
  }

  private OperatorSubtaskState trimmedBeyond() throws Exception {
    add(0, 10);
    SourceRun first = run(null);
    first.await(10);
    OperatorSubtaskState state = first.snapshot(1);
    first.close();
    add(10, 20);
    redis.xtrim("scurry:requests", XTrimParams.xTrimParams().maxLen(2));
    return state;
  }

  @Test
  void aLostStreamIsAGap() throws Exception {
    add(0, 10);
    SourceRun first = run(null);
    first.await(10);
    OperatorSubtaskState state = first.snapshot(1);
    first.close();
    redis.del("scurry:requests");
    assertNotNull(run(state).awaitFailure());
    add(0, 2);
    redis.del("scurry:requests");
    SourceRun resumed = run(state, "onGap", "resume");
    add(10, 12);
    assertEquals(2, resumed.await(2).size());
  }

  @Test
  void trimmingStaysBehindTheCheckpointsAndKeepsTheAnchor() throws Exception {
    SourceRun run = run(null, "retention", "0ms", "retainedCheckpoints", "1");
    add(0, 500);
    run.await(500);
    OperatorSubtaskState state = run.snapshot(1);
    add(500, 1000);
    run.await(1000);
    run.complete(1);
    long length = 1000;
    for (int i = 0; i < 200 && length > 601; i++) {
      Thread.sleep(10);
      length = redis.xlen("scurry:requests");
    }
    assertTrue(length >= 501 && length <= 601, "length " + length);
    run.close();
    assertEquals(500, run(state).await(500).size());
  }

  @Test
  void theLagIsMirroredFromRedis7On() throws Exception {
    SourceRun run = run(null);
    add(0, 5);
    run.await(5);
    run.snapshot(1);
    add(5, 7);
    run.await(7);
    run.complete(1);
    Thread.sleep(300);
    if (server.isSeven()) {
      assertEquals(2L, redis.xinfoGroups("scurry:requests").get(0).getGroupInfo().get("lag"));
    } else {
      assertEquals(0, redis.xinfoGroups("scurry:requests").size());
    }
  }

  @Test
  void bulkIsPausedAtItsWindowWhileRequestsGoOn() throws Exception {
    add("scurry:bulk", 0, 100);
    SourceRun run = run(null, "bulkInFlight", "16");
    run.await(16);
    add("scurry:requests", 100, 110);
    run.await(26);
    Thread.sleep(100);
    assertEquals(26, run.ids().size());
    redis.hincrBy("scurry:answered", "scurry:bulk", 16);
    run.await(42);
  }

  @Test
  void whileNobodyIsAnsweredTheRestWaitsInTheStream() throws Exception {
    add(0, 200);
    SourceRun run = run(null, "inFlightBytes", "60kb", "batch", "10");
    run.await(20);
    Thread.sleep(300);
    int emitted = run.ids().size();
    assertTrue(emitted <= 80, emitted + " emitted");
    assertEquals(List.of(), run.refusals());
    for (int i = 0; i < 1_000 && run.ids().size() < 200; i++) {
      Map<String, String> answered = new HashMap<>(Map.of("scurry:requests", "" + run.ids().size()));
      for (int model = 0; model < 3; model++) {
        String suffix = "" + model;
        answered.put("scurry:requests@m" + model, "" + run.ids().stream()
            .filter(id -> Integer.toString(Integer.parseInt(id.substring(1)) % 3).equals(suffix)).count());
      }
      redis.hset("scurry:answered", answered);
      Thread.sleep(5);
    }
    assertEquals(200, run.ids().size() + run.refusals().size());
  }

  @Test
  void theSurplusOfOneModelIsRefusedAndAnotherNeverWaits() throws Exception {
    SourceRun run = run(null, "inFlightBytes", "100kb");
    for (int i = 0; i < 60; i++) {
      for (int n = 0; n < 5; n++) {
        redis.xadd("scurry:requests", (StreamEntryID) null, Map.of("model", "slow", "inputs", "{}"));
      }
      redis.xadd("scurry:requests", (StreamEntryID) null, Map.of("model", "quick", "id", "q" + i, "inputs", "{}"));
      String id = "q" + i;
      for (int wait = 0; wait < 2_000 && !run.ids().contains(id); wait++) {
        Thread.sleep(1);
      }
      assertTrue(run.ids().contains(id), id + " was emitted");
      redis.hincrBy("scurry:answered", "scurry:requests", 1);
      redis.hincrBy("scurry:answered", "scurry:requests@quick", 1);
    }
    int refused = run.refusals().size();
    assertTrue(refused > 150, refused + " refused");
    assertEquals(300 + 60, refused + run.ids().size());
    for (Reply refusal : run.refusals()) {
      assertEquals("slow overloaded", refusal.getModel() + " " + refusal.getError());
      assertTrue(refusal.getEntry().startsWith("scurry:requests/"), refusal.getEntry());
    }
  }

  @Test
  void aBacklogBeforeASlowModelHoldsNobodyUpForLong() throws Exception {
    for (int i = 0; i < 1_100; i++) {
      redis.xadd("scurry:requests", (StreamEntryID) null, Map.of("model", "slow", "id", "s" + i, "inputs", "{}"));
    }
    add(0, 1);
    SourceRun run = run(null);
    run.await(512);
    assertTrue(run.ids().size() < 1_100);
    for (int i = 0; i < 200 && run.ids().size() < 1_101; i++) {
      redis.hincrBy("scurry:answered", "scurry:requests", 1);
      Thread.sleep(50);
    }
    assertEquals(1_101, run.ids().size());
  }

  @Test
  void theStartIsWrittenDownAndAnEvictionPolicyThatLosesDataIsSaid() throws Exception {
    redis.configSet("maxmemory-policy", "allkeys-lru");
    add(0, 1);
    run(null).await(1);
    Map<String, String> job = redis.hgetAll("scurry:job");
    assertEquals("0", job.get("restarts"));
    assertTrue(System.currentTimeMillis() - Long.parseLong(job.get("started")) < 600_000, job.toString());
    assertTrue(job.get("warning").contains("allkeys-lru"), job.toString());
    redis.configSet("maxmemory-policy", "noeviction");
    run(null).await(1);
    assertEquals("", redis.hget("scurry:job", "warning"));
  }

  @Test
  void partitionsAreFixedAtCreationAndDealtOut() throws Exception {
    run(null, 2, 0, "partitions", "4");
    run(null, 2, 1);
    for (int p = 0; p < 4; p++) {
      add("scurry:requests:" + p, p, p + 1);
    }
    assertEquals(List.of("i0", "i2"), sorted(runs.get(0).await(2)));
    assertEquals(List.of("i1", "i3"), sorted(runs.get(1).await(2)));
    assertEquals("4", redis.get("scurry:partitions"));
    Throwable failure = assertThrows(SuppressRestartsException.class, () -> run(null, "partitions", "2"));
    assertTrue(failure.getCause().getMessage().contains("was created with 4"), failure.toString());
  }

  private static List<String> sorted(List<String> ids) {
    List<String> copy = new ArrayList<>(ids);
    copy.sort(null);
    return copy;
  }

  @Test
  void largeBodiesAreParkedBeforeTheyAreEmitted() throws Exception {
    redis.xadd("scurry:requests", (StreamEntryID) null, Map.of("model", "m", "id", "big", "inputs", "x".repeat(9000)));
    SourceRun run = run(null);
    run.await(1);
    Request request = Requests.parseFrom(run.mail().get(0).value.getValue()).getRequests(0);
    assertTrue(request.getPayload().startsWith("scurry:payload:big:in:body@"), request.getPayload());
    assertEquals(9000, redis.strlen(request.getPayload()));
    assertTrue(redis.ttl(request.getPayload()) > 86_000);
  }

  @Test
  void whatIsParkedIsWrittenOnce() throws Exception {
    redis.set("scurry:payload:big:in:body@7-0", "was there before");
    redis.xadd("scurry:requests", new StreamEntryID(7, 0), Map.of("model", "m", "id", "big", "inputs", "x".repeat(9000)));
    SourceRun run = run(null);
    run.await(1);
    assertEquals("was there before", redis.get("scurry:payload:big:in:body@7-0"));
  }

  @Test
  void anOutageIsWaitedOut() throws Exception {
    add(0, 5);
    SourceRun run = run(null);
    run.await(5);
    server.kill();
    Thread.sleep(300);
    server.start();
    redis.close();
    redis = server.client();
    add(5, 8);
    assertEquals(8, run.await(8).size());
  }

  @Test
  void theNodeOfAClusterThatHoldsTheKeysIsFollowed() throws Exception {
    Path other = Files.createDirectory(dir.resolve("other"));
    try (RedisServer owner = RedisServer.start(other, "--cluster-enabled", "yes");
        RedisServer asked = RedisServer.start(Files.createDirectory(dir.resolve("asked")), "--cluster-enabled", "yes");
        Jedis ownerClient = owner.client(); Jedis askedClient = asked.client()) {
      owner.addAllSlots();
      askedClient.clusterMeet("127.0.0.1", owner.port);
      for (int i = 0; i < 400 && !askedClient.clusterInfo().contains("cluster_state:ok"); i++) {
        Thread.sleep(25);
      }
      String stream = "{scurry}:requests";
      ownerClient.xadd(stream, (StreamEntryID) null, Map.of("model", "m", "id", "i", "inputs", "{}"));
      SourceRun run = run(null, "redis", asked.url(), "namespace", "{scurry}");
      assertEquals(List.of("i"), run.await(1));
      run.close();
    }
  }

  @Test
  void cancellingDoesNotWaitForTheBlockingRead() throws Exception {
    SourceRun run = run(null);
    add(0, 1);
    run.await(1);
    long start = System.nanoTime();
    run.close();
    assertTrue(System.nanoTime() - start < 900_000_000L);
    assertFalse(run.isAlive());
  }
}
