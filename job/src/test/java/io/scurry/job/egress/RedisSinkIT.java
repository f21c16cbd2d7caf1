// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.scurry.job.link.RedisServer;
import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.View;
import java.nio.file.Path;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.operators.StreamSink;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

/** The egress inside Flink's operator, on a real Redis. */
@Timeout(60)
class RedisSinkIT {
  @TempDir Path dir;
  private RedisServer server;
  private Jedis redis;
  private OneInputStreamOperatorTestHarness<TypedValue, Object> harness;

  @BeforeEach
  void start() throws Exception {
    server = RedisServer.start(dir);
    redis = server.client();
    harness = open("5min");
  }

  @AfterEach
  void stop() throws Exception {
    if (server != null) {
      redis.close();
      harness.close();
      server.close();
    }
  }

  private OneInputStreamOperatorTestHarness<TypedValue, Object> open(String outage) throws Exception {
    EgressSpec spec = Given.egress("redis", server.url(), "outage", outage);
    OneInputStreamOperatorTestHarness<TypedValue, Object> opened =
        new OneInputStreamOperatorTestHarness<>(new StreamSink<>(new RedisSink(spec)));
    opened.open();
    return opened;
  }

  private static TypedValue reply(int number) {
    return WritingTest.typed(Reply.newBuilder().setId("i" + number).setEntry("scurry:requests/" + number + "-0")
        .setReply("scurry:replies:c").setBody(ByteString.copyFromUtf8("x")).addConsumed(parked(number)).build());
  }

  private static String parked(int number) {
    return "scurry:payload:i" + number + ":in:x";
  }

  @Test
  void aCheckpointWaitsUntilEverythingIsWritten() throws Exception {
    for (int i = 0; i < 5_000; i++) {
      harness.processElement(reply(i), 0);
    }
    harness.snapshot(1, 1);
    assertEquals(5_000, redis.xlen("scurry:replies:c"));
  }

  @Test
  void whatComesAloneIsWrittenAtOnce() throws Exception {
    harness.processElement(WritingTest.typed(View.newBuilder().setModel("m").setRecord("{}").build()), 0);
    for (int i = 0; i < 200 && !redis.exists("scurry:models"); i++) {
      Thread.sleep(5);
    }
    assertEquals("{}", redis.hget("scurry:models", "m"));
  }

  private void awaitRecord(String model, String record) throws Exception {
    for (int i = 0; i < 400 && !record.equals(redis.hget("scurry:models", model)); i++) {
      Thread.sleep(5);
    }
    assertEquals(record, redis.hget("scurry:models", model));
  }

  @Test
  void recordsThatRedisLostAreWrittenAgainAlsoAfterARestart() throws Exception {
    harness.processElement(WritingTest.typed(View.newBuilder().setModel("m").setRecord("{}").build()), 0);
    harness.processElement(WritingTest.typed(View.newBuilder().setModel("gone").setRecord("{}").build()), 0);
    harness.processElement(WritingTest.typed(View.newBuilder().setModel("gone").build()), 0);
    OperatorSubtaskState saved = harness.snapshot(1, 1);
    redis.flushAll();
    harness.notifyOfCompletedCheckpoint(1);
    awaitRecord("m", "{}");
    harness.close();
    redis.flushAll();
    harness = new OneInputStreamOperatorTestHarness<>(
        new StreamSink<>(new RedisSink(Given.egress("redis", server.url()))));
    harness.setup();
    harness.initializeState(saved);
    harness.open();
    harness.processElement(WritingTest.typed(View.newBuilder().setModel("n").setRecord("{1}").build()), 0);
    harness.snapshot(2, 2);
    harness.notifyOfCompletedCheckpoint(2);
    awaitRecord("m", "{}");
    assertEquals("{1}", redis.hget("scurry:models", "n"));
    assertFalse(redis.hexists("scurry:models", "gone"));
  }

  @Test
  void parkedInputsGoOnlyAfterACompletedCheckpoint() throws Exception {
    redis.set(parked(1), "x");
    harness.processElement(reply(1), 0);
    harness.snapshot(1, 1);
    assertTrue(redis.exists(parked(1)));
    harness.notifyOfCompletedCheckpoint(1);
    for (int i = 0; i < 200 && redis.exists(parked(1)); i++) {
      Thread.sleep(5);
    }
    assertFalse(redis.exists(parked(1)));
  }

  @Test
  void anOutageIsWaitedOut() throws Exception {
    harness.processElement(reply(1), 0);
    harness.snapshot(1, 1);
    server.kill();
    harness.processElement(reply(2), 0);
    Thread.sleep(400);
    server.start();
    harness.snapshot(2, 2);
    try (Jedis again = server.client()) {
      assertEquals(2, again.xlen("scurry:replies:c"));
    }
  }

  @Test
  void anOutageThatIsTooLongFailsTheTask() throws Exception {
    harness.close();
    harness = open("1s");
    server.kill();
    harness.processElement(reply(1), 0);
    Exception e = assertThrows(Exception.class, () -> harness.snapshot(1, 1));
    assertTrue(String.valueOf(e.getCause()).contains("could not write to Redis") || e.toString().contains("Redis"));
  }
}
