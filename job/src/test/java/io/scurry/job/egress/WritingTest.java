// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.scurry.wire.Messages.Audit;
import io.scurry.wire.Messages.DeadLetter;
import io.scurry.wire.Messages.Encoding;
import io.scurry.wire.Messages.Released;
import io.scurry.wire.Messages.Replies;
import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.View;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;
import org.junit.jupiter.api.Test;

/** What the egress makes of messages. */
class WritingTest {
  private final Writing writing = new Writing(Given.egress());

  static TypedValue typed(Message message) {
    return TypedValue.newBuilder().setTypename("scurry.v1/" + message.getClass().getSimpleName()).setHasValue(true)
        .setValue(message.toByteString()).build();
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private Map<String, String> line(int index) {
    Map<String, String> fields = new TreeMap<>();
    writing.lines.get(index).fields.forEach((name, value) -> fields.put(text(name), text(value)));
    return fields;
  }

  @Test
  void repliesComeTogetherOrAlone() {
    Reply a = Reply.newBuilder().setId("a").addConsumed("scurry:payload:a:in:x").build();
    Reply b = Reply.newBuilder().setId("b").build();
    writing.add(typed(Replies.newBuilder().addReplies(a).build()));
    writing.add(typed(b));
    assertEquals(List.of(a, b), writing.replies);
    assertEquals(List.of("scurry:payload:a:in:x"), writing.consumed);
  }

  @Test
  void inputsThatNobodyNeedsAreLetGoOf() {
    writing.add(typed(Released.newBuilder().setId("a").addKeys("scurry:payload:a:in:x").addKeys("scurry:models").build()));
    assertEquals(List.of("scurry:payload:a:in:x"), writing.consumed);
    assertTrue(writing.replies.isEmpty());
  }

  @Test
  void refusalsAreRepliesThatNobodyCounts() {
    Reply a = Reply.newBuilder().setId("a").build();
    writing.add(typed(Replies.newBuilder().addReplies(a).build()).toBuilder().setTypename("scurry.v1/Refusals").build());
    writing.add(typed(a));
    assertEquals(List.of(a, a), writing.replies);
    assertEquals(1, writing.uncounted.size());
    assertTrue(writing.uncounted.contains(writing.replies.get(0)));
  }

  @Test
  void aViewIsAFieldAndAnEmptyOneDeletesIt() {
    writing.add(typed(View.newBuilder().setModel("m").setRecord("{}").build()));
    writing.add(typed(View.newBuilder().setModel("n").build()));
    assertEquals("scurry:models", writing.hashes.get(0).key);
    assertEquals("{}", text(writing.hashes.get(0).value));
    assertNull(writing.hashes.get(1).value);
  }

  @Test
  void anAuditLineIsAnEntryOfTheRegistryStream() {
    writing.add(typed(
        Audit.newBuilder().setModel("m").setSequence(3).setUpdate("{}").setOutcome("applied").build()));
    assertEquals("scurry:registry", writing.lines.get(0).stream);
    assertEquals(Map.of("model", "m", "sequence", "3", "update", "{}", "outcome", "applied", "at", "0"), line(0));
  }

  @Test
  void anAuditLineOfAChangeHoldsWhatIsDeclaredSince() {
    writing.add(typed(Audit.newBuilder().setModel("m").setOutcome("ok").setAt(5).setNumber(7).setRecord("{r}").build()));
    assertEquals(
        Map.of("model", "m", "sequence", "0", "update", "", "outcome", "ok", "at", "5", "number", "7", "record", "{r}"),
        line(0));
  }

  @Test
  void aDeadLetterShowsTheEntryAsItsSenderWroteIt() {
    Request request = Request.newBuilder().setModel("m").setId("i").setEntry("s/1-0").setKeep(0).setPriority(2)
        .setEncoding(Encoding.ENCODING_INPUTS).setBody(ByteString.copyFromUtf8("{}")).build();
    writing.add(typed(DeadLetter.newBuilder().setRequest(request).setCause("worker_lost: x.").setAttempts(3).build()));
    assertEquals("scurry:dead", writing.lines.get(0).stream);
    assertEquals(
        Map.of("cause", "worker_lost: x.", "attempts", "3", "entry", "s/1-0", "field:model", "m", "field:id", "i",
            "field:inputs", "{}", "field:priority", "2", "field:keep", "0"),
        line(0));
  }

  @Test
  void aDeadLetterSaysHowItsParkedBodyIsWritten() {
    Request json = Request.newBuilder().setModel("m").setId("i").setPayload("scurry:payload:i:in:body@1-0")
        .setEncoding(Encoding.ENCODING_INPUTS).build();
    writing.add(typed(DeadLetter.newBuilder().setRequest(json).build()));
    writing.add(typed(DeadLetter.newBuilder().setRequest(json.toBuilder().clearEncoding()).build()));
    assertEquals("inputs", line(0).get("field:encoding"));
    assertEquals("request", line(1).get("field:encoding"));
    assertEquals("scurry:payload:i:in:body@1-0", line(1).get("field:payload"));
  }

  @Test
  void aDeadLetterOfADefectShowsTheRawFields() {
    Request request = Request.newBuilder().setDefect("d").putFields("cause", ByteString.copyFromUtf8("x")).build();
    writing.add(typed(DeadLetter.newBuilder().setRequest(request).setCause("bad_request: d").build()));
    assertEquals("x", line(0).get("field:cause"));
    assertEquals("bad_request: d", line(0).get("cause"));
  }

  @Test
  void unknownTypesAndGarbageAreDeadLettersToo() {
    TypedValue garbage =
        TypedValue.newBuilder().setTypename("scurry.v1/Reply").setValue(ByteString.copyFromUtf8("zzz")).build();
    writing.add(garbage);
    writing.add(garbage.toBuilder().setTypename("a/b").build());
    writing.add(typed(Reply.getDefaultInstance()));
    assertTrue(line(0).get("cause").contains("cannot be parsed"));
    assertEquals("zzz", line(1).get("field:value"));
    assertTrue(line(2).get("cause").contains("without an id"));
  }

  @Test
  void parkedInputsAreReleasedByTheCheckpointThatCoversThem() {
    Consumed consumed = new Consumed();
    consumed.add(List.of("a"));
    consumed.seal(1);
    consumed.add(List.of("b"));
    consumed.seal(2);
    consumed.add(List.of("c"));
    assertEquals(List.of("a"), consumed.release(1));
    assertEquals(List.of("b"), consumed.release(7));
    assertEquals(List.of(), consumed.release(8));
  }
}
