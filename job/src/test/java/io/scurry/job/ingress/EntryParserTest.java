// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.scurry.job.Names;
import io.scurry.job.link.Keys;
import io.scurry.wire.Messages.Encoding;
import io.scurry.wire.Messages.Register;
import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Update;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a stream entry. */
class EntryParserTest {
  private final EntryParser parser = new EntryParser(new Keys("scurry"), false);

  private Request request(String... fields) {
    Parsed parsed = parser.parse(Given.entry("7-0", fields));
    return parsed.request.build();
  }

  @Test
  void everyFieldOfARequestArrives() {
    Request request = request("model", "m", "inputs", "{}", "id", "i", "version", "v", "reply", "scurry:replies:c",
        "deadline", "1700000000000", "key", "k", "priority", "-3", "tenant", "t", "traceparent", "00-1", "keep", "0",
        "unheard-of", "x");
    Request expected = Request.newBuilder().setModel("m").setBody(ByteString.copyFromUtf8("{}")).setId("i")
        .setEncoding(Encoding.ENCODING_INPUTS).setEntry("scurry:requests/7-0").setVersion("v")
        .setReply("scurry:replies:c").setDeadline(1700000000000L).setKey("k").setPriority(-3).setTenant("t")
        .setTraceparent("00-1").setKeep(0).build();
    assertEquals(expected, request.toBuilder().clearDigest().build());
  }

  @Test
  void idDefaultsToTheEntryIdAndKeepStaysAbsent() {
    Request request = request("model", "m", "request", "");
    assertEquals("7-0", request.getId());
    assertEquals(Encoding.ENCODING_REQUEST, request.getEncoding());
    assertFalse(request.hasKeep());
  }

  @Test
  void bodiesAreBinarySafe() {
    byte[] body = {0, (byte) 0xff, 10, (byte) 0xc3};
    List<byte[]> fields = new ArrayList<>(Given.entry("1-0", "model", "m", "request").fields);
    fields.add(body);
    Request.Builder request = parser.parse(new Entry("scurry:requests", "1-0", fields)).request;
    assertEquals(ByteString.copyFrom(body), request.getBody());
  }

  @Test
  void bulkStreamMarksItsRequests() {
    Entry entry = Given.entryOf("scurry:bulk", "1-0", "model", "m", "inputs", "{}");
    assertTrue(parser.parse(entry).request.getBulk());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "There is no model.                                  | inputs,{}",
    "There is no model.                                  | model,,inputs,{}",
    "The model name '-m' must match                      | model,-m,inputs,{}",
    "The model name 'a b' must match                     | model,a b,inputs,{}",
    "There is neither inputs nor request nor data.       | model,m",
    "There are both inputs and request.                  | model,m,inputs,{},request,x",
    "The field deadline must be a whole number from 0.   | model,m,inputs,{},deadline,soon",
    "The field deadline must be a whole number from 0.   | model,m,inputs,{},deadline,-1",
    "The field keep must be a whole number from 0 of 32  | model,m,inputs,{},keep,4294967296",
    "The field keep must be a whole number from 0 of 32  | model,m,inputs,{},keep,1.5",
    "The field priority must be a whole number of 32     | model,m,inputs,{},priority,high",
    "The kind 'nonsense' is unknown                      | model,m,inputs,{},kind,nonsense",
    "Replies go to streams named scurry:replies:<client> | model,m,inputs,{},reply,scurry:models",
    "Replies go to streams named scurry:replies:<client> | model,m,inputs,{},reply,orders",
    "Replies go to streams named scurry:replies:<client> | model,m,inputs,{},reply,scurry:replies:",
    "A registry message has either update                | model,m,kind,registry",
    "A registry message has either update                | model,m,kind,registry,update,{},request,x",
    "There is no model.                                  | kind,registry,update,{}",
    "The request of the registry message is not a        | model,m,kind,registry,request,zzz",
  })
  void whatMakesNoSenseIsADefectForNobody(String sentence, String fields) {
    Parsed parsed = parser.parse(Given.entry("7-0", fields.split(",", -1)));
    assertTrue(parsed.isDefective());
    assertTrue(parsed.request.getDefect().startsWith(sentence), parsed.request.getDefect());
    assertEquals(Names.NOBODY, parsed.key());
  }

  @Test
  void aDefectKeepsTheEntryAndWhoToAnswer() {
    Request request = request("id", "i", "reply", "scurry:replies:c", "inputs", "{}");
    assertEquals("i", request.getId());
    assertEquals("scurry:replies:c", request.getReply());
    assertEquals("scurry:requests/7-0", request.getEntry());
    assertEquals(ByteString.copyFromUtf8("{}"), request.getFieldsOrThrow("inputs"));
    assertEquals(ByteString.EMPTY, request.getBody());
  }

  @Test
  void aDefectNeverCarriesLargeFieldsWhole() {
    Request request = request("inputs", "x".repeat(100_000));
    assertEquals(Names.CLAIM_CHECK_BYTES, request.getFieldsOrThrow("inputs").size());
  }

  @Test
  void aDefectIsNotAnsweredOnAForbiddenStream() {
    assertEquals("", request("model", "m", "inputs", "{}", "reply", "scurry:requests").getReply());
  }

  @Test
  void anOverlongIdIsADefectUnderTheEntryId() {
    Request request = request("model", "m", "inputs", "{}", "id", "x".repeat(513));
    assertEquals("The field id is longer than 512 bytes.", request.getDefect());
    assertEquals("7-0", request.getId());
  }

  @Test
  void anEmptyEntryAndAnOddOneAreDefects() {
    assertEquals("There is no model.", request().getDefect());
    assertEquals("There is neither inputs nor request nor data.", request("model", "m", "inputs").getDefect());
  }

  @ParameterizedTest
  @ValueSource(strings = {"m", "Resnet-50.v1_x", "0"})
  void modelNamesThatAreFine(String name) {
    assertEquals("", request("model", name, "inputs", "{}").getDefect());
  }

  @Test
  void registryMessageInJsonIsPassedOnAsItCame() {
    Parsed parsed =
        parser.parse(Given.entry("7-0", "kind", "registry", "model", "m", "update", "{\"x\":1}", "keep", "5"));
    Update expected = Update.newBuilder().setModel("m").setId("7-0").setEntry("scurry:requests/7-0").setKeep(5)
        .setJson("{\"x\":1}").build();
    assertEquals(expected, parsed.update.toBuilder().clearDigest().build());
    assertNull(parsed.request);
    assertEquals("m", parsed.key());
  }

  @Test
  void serialisedRegistryMessageTakesItsEnvelopeFromTheEntry() {
    Update sent = Update.newBuilder().setModel("other").setId("other").setKeep(9)
        .setRegister(Register.newBuilder().setUri("u")).build();
    List<byte[]> fields = new ArrayList<>(
        Given.entry("7-0", "kind", "registry", "model", "m", "id", "i", "reply", "scurry:replies:c").fields);
    fields.add("request".getBytes(StandardCharsets.UTF_8));
    fields.add(sent.toByteArray());
    Update update = parser.parse(new Entry("scurry:requests", "7-0", fields)).update;
    Update expected = Update.newBuilder().setModel("m").setId("i").setEntry("scurry:requests/7-0")
        .setReply("scurry:replies:c").setRegister(Register.newBuilder().setUri("u")).build();
    assertEquals(expected, update.toBuilder().clearDigest().build());
  }

  @Test
  void largeBodiesAreParkedOnceEach() {
    List<Parsed> read = List.of(
        parser.parse(Given.entry("1-0", "model", "m", "id", "a", "inputs", "x".repeat(101))),
        parser.parse(Given.entry("2-0", "model", "m", "id", "b", "inputs", "x".repeat(100))));
    assertEquals(101, Parking.take(read, 100, new Keys("scurry")).get("scurry:payload:a:in:body@1-0").length);
    assertEquals("scurry:payload:a:in:body@1-0", read.get(0).request.getPayload());
    assertEquals(ByteString.EMPTY, read.get(0).request.getBody());
    assertEquals("", read.get(1).request.getPayload());
  }

  private Parsed with(String name, byte[] value, String... fields) {
    List<byte[]> all = new ArrayList<>(Given.entry("7-0", fields).fields);
    all.add(name.getBytes(StandardCharsets.UTF_8));
    all.add(value);
    return parser.parse(new Entry("scurry:requests", "7-0", all));
  }

  @ParameterizedTest
  @ValueSource(strings = {"id", "model", "version", "reply", "key", "tenant", "traceparent", "kind", "deadline"})
  void whatIsNoUtf8IsRefusedAndNeverTakenForAnotherText(String name) {
    byte[] value = {'a', (byte) 0xff};
    String[] fields = name.equals("model") ? new String[] {"inputs", "{}"} : new String[] {"model", "m", "inputs", "{}"};
    Parsed parsed = with(name, value, fields);
    assertTrue(parsed.isDefective());
    assertEquals("The field " + name + " is not UTF-8.", parsed.request.getDefect());
    assertEquals("7-0", parsed.request.getId());
    assertEquals(ByteString.copyFrom(value), parsed.request.getFieldsOrThrow(name));
  }

  @Test
  void aReplacementCharacterThatWasSentIsFine() {
    assertEquals("\uFFFD", request("model", "m", "inputs", "{}", "id", "\uFFFD").getId());
  }

  @Test
  void anUpdateThatIsNoUtf8IsRefused() {
    Parsed parsed = with("update", new byte[] {'{', (byte) 0xc3, '}'}, "kind", "registry", "model", "m");
    assertEquals("The field update is not UTF-8.", parsed.request.getDefect());
  }

  @ParameterizedTest
  @CsvSource({"version, 128", "key, 512", "tenant, 512", "traceparent, 512"})
  void whatIsTooLongIsRefused(String name, int most) {
    assertEquals("", request("model", "m", "inputs", "{}", name, "x".repeat(most)).getDefect());
    String defect = request("model", "m", "inputs", "{}", name, "x".repeat(most + 1)).getDefect();
    assertEquals("The field " + name + " is longer than " + most + " bytes.", defect);
  }

  @Test
  void anOverlongReplyStreamIsNone() {
    Request request = request("model", "m", "inputs", "{}", "reply", "scurry:replies:" + "x".repeat(512));
    assertTrue(request.getDefect().startsWith("Replies go to"), request.getDefect());
    assertEquals("", request.getReply());
  }

  @Test
  void parkedBodiesLieWhereNoTensorOfTheClientDoes() {
    Parsed parsed = parser.parse(Given.entry("7-0", "model", "m", "id", "a", "inputs", "x".repeat(101)));
    Parking.take(List.of(parsed), 100, new Keys("scurry"));
    assertEquals("scurry:payload:a:in:body@7-0", parsed.request.getPayload());
    assertTrue(new Keys("scurry").owns("a", parsed.request.getPayload()));
  }

  private ByteString digest(String... fields) {
    Parsed parsed = parser.parse(Given.entry("7-0", fields));
    return parsed.request == null ? parsed.update.getDigest() : parsed.request.getDigest();
  }

  @Test
  void theDigestIsOfWhatIsAskedAndOfNothingElse() {
    ByteString one = digest("model", "m", "inputs", "{}", "id", "i");
    assertEquals(16, one.size());
    assertEquals(one, digest("model", "m", "inputs", "{}", "id", "j", "reply", "scurry:replies:c", "deadline", "9",
        "kind", "request"));
    List<ByteString> others = List.of(digest("model", "n", "inputs", "{}"), digest("model", "m", "inputs", "{ }"),
        digest("model", "m", "request", "{}"), digest("model", "m", "inputs", "{}", "version", "1"),
        digest("model", "m", "update", "{}", "kind", "registry"), digest("model", "m", "version", "1"), digest());
    assertEquals(others.size(), others.stream().distinct().count());
    assertFalse(others.contains(one));
  }

  @Test
  void withARegistryStreamOfItsOwnRegistryMessagesAreRefusedElsewhere() {
    EntryParser separate = new EntryParser(new Keys("scurry"), true);
    String[] fields = {"kind", "registry", "model", "m", "id", "i", "reply", "scurry:replies:c", "update", "{}"};
    Reply refusal = separate.parse(Given.entry("7-0", fields)).answer;
    assertEquals("not_allowed", refusal.getError());
    assertEquals("Registry messages go to scurry:registry-in.", refusal.getMessage());
    assertEquals("i scurry:requests/7-0 scurry:replies:c",
        refusal.getId() + " " + refusal.getEntry() + " " + refusal.getReply());
    assertEquals("{}", separate.parse(Given.entryOf("scurry:registry-in", "7-0", fields)).update.getJson());
    assertEquals("{}", parser.parse(Given.entryOf("scurry:registry-in", "7-0", fields)).update.getJson());
    assertEquals("m", separate.parse(Given.entry("7-0", "model", "m", "inputs", "{}")).key());
  }

  @Test
  void anEntryOfABoundStreamSaysWhereItsAnswerGoes() {
    Request request = request("model", "m", "data", "QQ==", "stream", "s", "uri", "u:1", "batched", "1", "keep", "0");
    assertEquals(Encoding.ENCODING_ARROW, request.getEncoding());
    assertEquals("s", request.getStream());
    assertEquals(ByteString.copyFromUtf8("u:1"), request.getUri());
    assertTrue(request.getBatched());
    Request json = request("model", "m", "data", "{}", "serde", "stream", "stream", "s", "uri", "");
    assertEquals(Encoding.ENCODING_INSTANCES, json.getEncoding());
    assertTrue(json.getUri().isEmpty());
    assertFalse(json.getBatched());
    assertEquals(Encoding.ENCODING_ARROW, request("model", "m", "data", "", "serde", "arrow").getEncoding());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "There is neither inputs nor request nor data. | s | model,m,stream,s,uri,u",
    "There is no model.                            | s | data,x,stream,s,uri,u",
    "Only data is answered as Cluster Serving does | s | model,m,inputs,{},stream,s,uri,u",
    "There is a stream, but no uri                 | '' | model,m,data,x,stream,s",
    "The field batched must be a whole number      | s | model,m,data,x,stream,s,uri,u,batched,2",
  })
  void whatMakesNoSenseIsAnsweredThereToo(String sentence, String stream, String fields) {
    Request request = request(fields.split(","));
    assertTrue(request.getDefect().startsWith(sentence), request.getDefect());
    assertEquals(stream, request.getStream());
  }

  @Test
  void whatIsTooLongForAKeyIsNobodysAnswer() {
    Request request = request("model", "m", "data", "x", "stream", "s", "uri", "u".repeat(4097));
    assertTrue(request.getDefect().startsWith("The field uri is longer"), request.getDefect());
    assertEquals("", request.getStream());
  }
}
