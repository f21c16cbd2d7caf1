// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.scurry.job.link.RedisServer;
import io.scurry.wire.Messages.Reply;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.resps.StreamEntry;

/** First result wins, on a real Redis. */
class ReplyScriptIT {
  @TempDir static Path dir;
  private static RedisServer server;
  private static Jedis redis;
  private static ReplyWriter writer;

  @BeforeAll
  static void start() throws Exception {
    server = RedisServer.start(dir);
    redis = server.client();
  }

  @AfterAll
  static void stop() throws Exception {
    if (server != null) {
      redis.close();
      server.close();
    }
  }

  @BeforeEach
  void empty() {
    redis.flushAll();
    writer = new ReplyWriter(Given.egress("redis", server.url()), "test");
  }

  private static Reply.Builder reply(String id, int entry, String body) {
    return Reply.newBuilder().setId(id).setEntry("scurry:requests/" + entry + "-0").setModel("m").setVersion("1")
        .setReply("scurry:replies:c").setBody(ByteString.copyFromUtf8(body));
  }

  private static void write(Reply.Builder... replies) throws Exception {
    Writing writing = new Writing(Given.egress("redis", server.url()));
    for (Reply.Builder reply : replies) {
      writing.add(WritingTest.typed(reply.build()));
    }
    writer.write(writing);
  }

  private static List<Map<String, String>> stream(String name) {
    List<Map<String, String>> entries = new ArrayList<>();
    for (StreamEntry entry : redis.xrange(name, (StreamEntryID) null, null)) {
      entries.add(entry.getFields());
    }
    return entries;
  }

  @Test
  void theFirstReplyIsKeptAndStreamed() throws Exception {
    write(reply("a", 1, "one"));
    Map<String, String> fields = Map.of("id", "a", "status", "ok", "model", "m", "version", "1", "reply", "one");
    assertEquals(fields, redis.hgetAll("scurry:result:a"));
    assertEquals(List.of(fields), stream("scurry:replies:c"));
    assertTrue(redis.ttl("scurry:result:a") > 110 && redis.ttl("scurry:result:a") <= 120);
    assertTrue(redis.ttl("scurry:done:a") > 890);
    assertTrue(redis.ttl("scurry:replies:c") > 890);
    assertEquals("1", redis.hget("scurry:answered", "scurry:requests"));
  }

  @Test
  void withoutReaderTheResultIsKeptLonger() throws Exception {
    write(reply("a", 1, "one").clearReply(), reply("b", 2, "two").clearReply().setKeep(5000));
    assertTrue(redis.ttl("scurry:result:a") > 890);
    assertTrue(redis.ttl("scurry:result:b") > 4990);
    assertTrue(redis.ttl("scurry:done:b") > 4990);
    assertFalse(redis.exists("scurry:replies:c"));
  }

  @Test
  void aReplayOfTheSameEntryIsDropped() throws Exception {
    write(reply("a", 1, "one"), reply("a", 1, "other"));
    write(reply("a", 1, "another"));
    assertEquals(1, stream("scurry:replies:c").size());
    assertEquals("one", redis.hget("scurry:result:a", "reply"));
    assertEquals(2, writer.outcome.replayed);
    assertEquals("3", redis.hget("scurry:answered", "scurry:requests"));
  }

  @Test
  void aRetryGetsTheStoredReplyOnceOnItsOwnStream() throws Exception {
    write(reply("a", 1, "one"));
    write(reply("a", 2, "other").setReply("scurry:replies:d"));
    write(reply("a", 2, "again").setReply("scurry:replies:d"));
    assertEquals(List.of("one"), List.of(stream("scurry:replies:d").get(0).get("reply")));
    assertEquals(1, stream("scurry:replies:d").size());
    assertEquals(1, stream("scurry:replies:c").size());
    assertEquals(1, writer.outcome.retried);
    assertEquals(1, writer.outcome.replayed);
  }

  @Test
  void entriesThatBeginAlikeAreNotTakenForEachOther() throws Exception {
    write(reply("a", 11, "one"));
    write(reply("a", 1, "other"));
    assertEquals(1, writer.outcome.retried);
  }

  @Test
  void withKeepZeroOnlyMarkerAndStreamAreWritten() throws Exception {
    write(reply("a", 1, "one").setKeep(0));
    assertFalse(redis.exists("scurry:result:a"));
    assertEquals(1, stream("scurry:replies:c").size());
    write(reply("a", 2, "two").setKeep(0).setReply("scurry:replies:d"));
    Map<String, String> answer = stream("scurry:replies:d").get(0);
    assertEquals("already_answered", answer.get("error"));
    assertEquals("error", answer.get("status"));
    assertEquals("a", answer.get("id"));
    assertEquals("m", answer.get("model"));
    assertFalse(answer.get("message").isEmpty());
  }

  @Test
  void aDeletedResultIsNotComputedAnew() throws Exception {
    write(reply("a", 1, "one"));
    redis.del("scurry:result:a");
    write(reply("a", 2, "two").setReply("scurry:replies:d"));
    assertEquals("already_answered", stream("scurry:replies:d").get(0).get("error"));
    assertFalse(redis.exists("scurry:result:a"));
  }

  @Test
  void theLosersParkedOutputsAreDeletedAndTheWinnersKept() throws Exception {
    redis.set("scurry:payload:a:out:1:y", "won");
    redis.set("scurry:payload:a:out:2:y", "lost");
    redis.set("scurry:payload:a:out:2:z", "lost");
    Reply.Builder winner = reply("a", 1, "one").addParked("scurry:payload:a:out:1:y");
    write(winner);
    write(reply("a", 1, "two").addParked("scurry:payload:a:out:2:y").addParked("scurry:payload:a:out:2:z"));
    write(winner);
    assertTrue(redis.exists("scurry:payload:a:out:1:y"));
    assertFalse(redis.exists("scurry:payload:a:out:2:y"));
    assertFalse(redis.exists("scurry:payload:a:out:2:z"));
  }

  @Test
  void errorsPayloadsAndRecordsHaveTheirOwnFields() throws Exception {
    write(reply("a", 1, "").setError("overloaded").setMessage("Wait."), reply("b", 2, "").setPayload("k"),
        reply("c", 3, "").setRecord("{}"));
    assertEquals(
        Map.of("id", "a", "status", "error", "model", "m", "version", "1", "error", "overloaded", "message", "Wait."),
        redis.hgetAll("scurry:result:a"));
    assertEquals(Map.of("id", "b", "status", "ok", "model", "m", "version", "1", "payload", "k"),
        redis.hgetAll("scurry:result:b"));
    assertEquals(Map.of("id", "c", "status", "ok", "model", "m", "version", "1", "record", "{}"),
        redis.hgetAll("scurry:result:c"));
  }

  @Test
  void aReplyStreamThatIsNoStreamHurtsNobody() throws Exception {
    redis.set("scurry:replies:bad", "x");
    write(reply("a", 1, "one").setReply("scurry:replies:bad"), reply("b", 2, "two"));
    assertEquals("one", redis.hget("scurry:result:a", "reply"));
    assertEquals("b", stream("scurry:replies:c").get(0).get("id"));
    assertEquals(1, writer.outcome.refused);
  }

  @Test
  void aReplyThatRedisRefusesBecomesADeadLetterAndTheOthersArrive() throws Exception {
    redis.lpush("scurry:done:a", "not a string");
    write(reply("a", 1, "one"), reply("b", 2, "two"));
    assertEquals("two", redis.hget("scurry:result:b", "reply"));
    assertEquals(1, stream("scurry:dead").size());
    assertEquals(1, writer.outcome.dead);
    assertEquals(1, stream("scurry:replies:c").size());
  }

  @Test
  void manyRepliesTakeSeveralCallsAndAForgottenScriptIsSentAgain() throws Exception {
    Reply.Builder[] replies = new Reply.Builder[600];
    for (int i = 0; i < replies.length; i++) {
      replies[i] = reply("id" + i, i, "x");
    }
    write(replies[0]);
    redis.scriptFlush();
    write(replies);
    assertEquals(600, stream("scurry:replies:c").size());
    assertEquals(600, writer.outcome.won);
  }
}
