// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.scurry.job.link.RedisServer;
import io.scurry.wire.Messages.Reply;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
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
    assertEquals("1", redis.hget("scurry:answered", "scurry:requests@m"));
  }

  @Test
  void onlyModelsThatAnsweredSomethingHaveACounter() throws Exception {
    write(refusal("a", 1, "model_not_found").setModel("nobody"), refusal("b", 2, "overloaded"));
    assertEquals(Map.of("scurry:requests", "2"), redis.hgetAll("scurry:answered"));
    write(reply("c", 3, "x"), refusal("d", 4, "overloaded"));
    write(refusal("e", 5, "overloaded"));
    assertEquals("3", redis.hget("scurry:answered", "scurry:requests@m"));
    assertEquals("5", redis.hget("scurry:answered", "scurry:requests"));
  }

  @Test
  void aBoundStreamsModelHasACounterWhateverItAnswers() throws Exception {
    write(failed("i", 1, "u", "bad_request"));
    assertEquals("1", redis.hget("scurry:answered", "scurry:requests@m"));
    write(failed("j", 2, "v", "model_not_found").setModel("nobody").clearVersion());
    assertFalse(redis.hexists("scurry:answered", "scurry:requests@nobody"));
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

  @Test
  void nobodyElsesKeysAreDeleted() throws Exception {
    String[] foreign = {"victim", "scurry:payload:v:in:x", "scurry:payload:a", "scurry:payload:a:in:x:y",
        "scurry:payload:a:b:in:x", "scurry:result:v", "other:payload:a:in:x"};
    for (String key : foreign) {
      redis.set(key, "x");
    }
    write(reply("a", 1, "one"));
    Reply.Builder loser = reply("a", 1, "two").addAllParked(List.of(foreign)).addAllConsumed(List.of(foreign));
    write(loser.addParked("scurry:payload:a:out:3:y"));
    Writing writing = new Writing(Given.egress("redis", server.url()));
    writing.add(WritingTest.typed(reply("a", 2, "two").addAllConsumed(List.of(foreign)).build()));
    assertEquals(List.of(), writing.consumed);
    for (String key : foreign) {
      assertTrue(redis.exists(key), key);
    }
  }

  @Test
  void repliesGoToReplyStreamsOnly() throws Exception {
    write(reply("a", 1, "one").setReply("scurry:requests"), reply("b", 2, "two").setReply("orders"));
    assertFalse(redis.exists("scurry:requests"));
    assertFalse(redis.exists("orders"));
    assertEquals("one", redis.hget("scurry:result:a", "reply"));
  }

  @Test
  void parkedOutputsGoWithinAMinuteOfTheirResult() throws Exception {
    redis.setex("scurry:payload:a:out:1:y", 86400, "won");
    write(reply("a", 1, "one").setKeep(100).addParked("scurry:payload:a:out:1:y"));
    long left = redis.ttl("scurry:payload:a:out:1:y");
    assertTrue(left > 100 && left <= 160, "ttl " + left);
  }

  @Test
  void sentencesAreCutToAKilobyte() throws Exception {
    write(reply("a", 1, "").setError("model_failed").setMessage("é".repeat(5000)));
    String message = redis.hget("scurry:result:a", "message");
    int bytes = message.getBytes(StandardCharsets.UTF_8).length;
    assertTrue(bytes <= 1024 && bytes > 1000, bytes + " bytes");
    assertTrue(message.matches("é+…"), message);
  }

  @Test
  void theMarkerOfAnIdSent20000TimesStaysSmall() throws Exception {
    for (int from = 0; from < 20_000; from += 1_000) {
      Reply.Builder[] replies = new Reply.Builder[1_000];
      for (int i = 0; i < replies.length; i++) {
        replies[i] = reply("a", from + i + 1, "x");
      }
      write(replies);
    }
    assertTrue(redis.strlen("scurry:done:a") < 4_000, redis.strlen("scurry:done:a") + " bytes");
    assertEquals(20_000, writer.outcome.won + writer.outcome.retried);
    write(reply("a", 1, "x"), reply("a", 9_999, "x"), reply("a", 20_000, "x"), reply("a", 20_001, "x"));
    assertEquals(3, writer.outcome.replayed);
  }

  @Test
  void entriesOfOneIdMayComeOutOfOrder() throws Exception {
    for (int entry : new int[] {1, 40, 3, 50, 2, 60}) {
      write(reply("a", entry, "x"));
    }
    assertEquals(5, writer.outcome.retried);
    write(reply("a", 2, "x"), reply("a", 60, "x"));
    assertEquals(2, writer.outcome.replayed);
  }

  @Test
  void aRetryOutlivesTheMarkersFirstLife() throws Exception {
    write(reply("a", 1, "one"));
    redis.expire("scurry:done:a", 5);
    write(reply("a", 2, "two"));
    assertTrue(redis.ttl("scurry:done:a") > 890);
  }

  private static Reply.Builder refusal(String id, int entry, String code) {
    return reply(id, entry, "").setError(code).setMessage("Later.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"overloaded", "rate_limited", "model_not_ready", "model_not_found", "unavailable"})
  void aRefusalDoesNotUseTheIdUp(String code) throws Exception {
    write(refusal("a", 1, code));
    assertEquals(code, redis.hget("scurry:result:a", "error"));
    write(refusal("a", 2, code));
    write(reply("a", 3, "three"));
    Map<String, String> fields = Map.of("id", "a", "status", "ok", "model", "m", "version", "1", "reply", "three");
    assertEquals(fields, redis.hgetAll("scurry:result:a"));
    assertEquals(3, stream("scurry:replies:c").size());
    assertEquals(fields, stream("scurry:replies:c").get(2));
    write(reply("a", 4, "four"));
    assertEquals("three", stream("scurry:replies:c").get(3).get("reply"));
  }

  @Test
  void aReplayOfARefusedEntryIsNotAnsweredTwice() throws Exception {
    redis.set("scurry:payload:a:out:1:y", "late");
    write(refusal("a", 1, "overloaded"));
    write(reply("a", 1, "one").addParked("scurry:payload:a:out:1:y"));
    assertEquals(1, stream("scurry:replies:c").size());
    assertEquals("overloaded", redis.hget("scurry:result:a", "error"));
    assertFalse(redis.exists("scurry:payload:a:out:1:y"));
  }

  @Test
  void aRefusalAfterAnAnswerIsARetry() throws Exception {
    write(reply("a", 1, "one"));
    write(refusal("a", 2, "overloaded"));
    assertEquals("one", stream("scurry:replies:c").get(1).get("reply"));
    assertEquals("one", redis.hget("scurry:result:a", "reply"));
  }

  @Test
  void aRefusalOfSomethingElseAfterAnAnswerIsAConflict() throws Exception {
    write(reply("a", 1, "one").setDigest(digest(1)));
    write(refusal("a", 2, "unavailable").setDigest(digest(2)).setReply("scurry:replies:d"));
    assertEquals("id_conflict", stream("scurry:replies:d").get(0).get("error"));
    write(refusal("a", 3, "unavailable").setDigest(digest(1)).setReply("scurry:replies:d"));
    assertEquals("one", stream("scurry:replies:d").get(1).get("reply"));
    assertEquals(1, writer.outcome.conflicts);
  }

  @Test
  void whatARefusedRequestParkedMayBeSentAgain() throws Exception {
    redis.setex("scurry:payload:a:in:x", 86400, "x");
    redis.setex("victim", 86400, "x");
    write(refusal("a", 1, "overloaded").addConsumed("scurry:payload:a:in:x").addConsumed("victim"));
    long left = redis.ttl("scurry:payload:a:in:x");
    assertTrue(left > 890 && left <= 900, "ttl " + left);
    assertTrue(redis.ttl("victim") > 86_000);
  }

  private static ByteString digest(int of) {
    return ByteString.copyFrom(new byte[] {(byte) of, (byte) 0xff, 10});
  }

  @Test
  void theSameIdForSomethingElseIsAConflictThatChangesNothing() throws Exception {
    write(reply("a", 1, "one").setDigest(digest(1)));
    redis.set("scurry:payload:a:out:2:y", "lost");
    write(reply("a", 2, "two").setDigest(digest(2)).setReply("scurry:replies:d")
        .addParked("scurry:payload:a:out:2:y"));
    assertEquals("id_conflict", stream("scurry:replies:d").get(0).get("error"));
    assertEquals("one", redis.hget("scurry:result:a", "reply"));
    assertEquals(1, stream("scurry:replies:c").size());
    assertFalse(redis.exists("scurry:payload:a:out:2:y"));
    write(reply("a", 2, "two").setDigest(digest(2)).setReply("scurry:replies:d"));
    assertEquals(1, stream("scurry:replies:d").size());
    write(reply("a", 3, "three").setDigest(digest(1)).setReply("scurry:replies:d"));
    assertEquals("one", stream("scurry:replies:d").get(1).get("reply"));
    assertEquals(1, writer.outcome.conflicts);
  }

  @Test
  void afterARefusalTheIdMayStandForSomethingElse() throws Exception {
    write(refusal("a", 1, "overloaded").setDigest(digest(1)));
    write(reply("a", 2, "two").setDigest(digest(2)));
    assertEquals("two", redis.hget("scurry:result:a", "reply"));
    write(reply("a", 3, "x").setDigest(digest(1)));
    assertEquals(1, writer.outcome.conflicts);
  }

  @Test
  void aResultKeyOfAnotherTypeMakesADeadLetterAndTheCallerIsAnswered() throws Exception {
    redis.lpush("scurry:result:a", "not a hash");
    write(reply("a", 1, "one"), reply("b", 2, "two"));
    assertEquals(List.of("one", "two"), List.of(stream("scurry:replies:c").get(0).get("reply"),
        stream("scurry:replies:c").get(1).get("reply")));
    assertEquals("two", redis.hget("scurry:result:b", "reply"));
    Map<String, String> letter = stream("scurry:dead").get(0);
    assertTrue(letter.get("cause").contains("WRONGTYPE"), letter.get("cause"));
    assertEquals("scurry:requests/1-0", letter.get("entry"));
    assertEquals(1, writer.outcome.dead);
  }

  @Test
  void anIdMayHoldAnything() throws Exception {
    String id = "a\nb: c";
    redis.set("scurry:payload:" + id + ":out:1:y", "x");
    Reply.Builder winner = reply(id, 1, "one").addParked("scurry:payload:" + id + ":out:1:y");
    write(winner);
    write(winner);
    write(reply(id, 2, "two"));
    assertTrue(redis.exists("scurry:payload:" + id + ":out:1:y"));
    assertEquals(1, writer.outcome.replayed);
    assertEquals(1, writer.outcome.retried);
  }

  private static Reply.Builder told(String id, int entry, String uri, String body) {
    return reply(id, entry, body).clearReply().setKeep(0).setStream("s").setUri(ByteString.copyFromUtf8(uri));
  }

  private static Reply.Builder failed(String id, int entry, String uri, String code) {
    return told(id, entry, uri, "").setError(code).setMessage("Because.");
  }

  @Test
  void aClusterServingClientFindsItsAnswerAndNothingElseIsKept() throws Exception {
    write(told("i", 1, "u:1", "QQ=="), reply("j", 2, "other"));
    assertEquals(Map.of("value", "QQ=="), redis.hgetAll("cluster-serving_s:u:1"));
    assertEquals(-1, redis.ttl("cluster-serving_s:u:1"));
    assertFalse(redis.exists("scurry:result:i"));
    assertFalse(redis.exists("scurry:failures"));
    assertEquals("other", redis.hget("scurry:result:j", "reply"));
  }

  @Test
  void whatFailedIsNaNAndTheReasonStandsElsewhere() throws Exception {
    write(failed("i", 1, "u", "input_shape"), told("e", 2, "empty", ""));
    assertEquals(Map.of("value", "NaN"), redis.hgetAll("cluster-serving_s:u"));
    assertEquals(Map.of("value", "NaN"), redis.hgetAll("cluster-serving_s:empty"));
    assertEquals(Map.of("key", "cluster-serving_s:u", "id", "i", "model", "m", "version", "1", "error", "input_shape",
        "message", "Because."), stream("scurry:failures").get(0));
  }

  @Test
  void aReplayNeitherOverwritesNorBringsBackWhatWasRead() throws Exception {
    write(told("i", 1, "u", "first"));
    write(told("i", 1, "u", "second"));
    assertEquals("first", redis.hget("cluster-serving_s:u", "value"));
    redis.del("cluster-serving_s:u");
    write(told("i", 1, "u", "third"));
    assertFalse(redis.exists("cluster-serving_s:u"));
  }

  @Test
  void everyEntryIsAnsweredAlsoOfAnIdThatIsKnown() throws Exception {
    write(failed("i", 1, "u", "overloaded"));
    write(told("i", 2, "u", "now"));
    assertEquals("now", redis.hget("cluster-serving_s:u", "value"));
    write(told("i", 3, "u", "again"));
    assertEquals("now", redis.hget("cluster-serving_s:u", "value"));
    write(told("i", 4, "other", "another").setDigest(digest(2)));
    assertEquals("another", redis.hget("cluster-serving_s:other", "value"));
  }

  @Test
  void aParkedAnswerIsFetchedAndItsKeyGoes() throws Exception {
    String key = "scurry:payload:i:out:1f:reply";
    redis.set(key, "large");
    write(told("i", 1, "u", "").setPayload(key).addParked(key));
    assertEquals("large", redis.hget("cluster-serving_s:u", "value"));
    assertFalse(redis.exists(key));
    write(told("j", 2, "gone", "").setPayload(key.replace(":i:", ":j:")).addParked(key.replace(":i:", ":j:")));
    assertEquals("NaN", redis.hget("cluster-serving_s:gone", "value"));
    assertEquals("payload_missing", stream("scurry:failures").get(0).get("error"));
  }

  @Test
  void aKeyThatIsNoHashIsLeftAloneAndTheReplyKept() throws Exception {
    redis.set("cluster-serving_s:u", "somebody's");
    write(told("i", 1, "u", "x"), told("j", 2, "v", "y"));
    assertEquals("somebody's", redis.get("cluster-serving_s:u"));
    assertEquals("y", redis.hget("cluster-serving_s:v", "value"));
    assertEquals(1, redis.xlen("scurry:dead"));
  }
}
