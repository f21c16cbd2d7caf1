// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.scurry.job.Limits;
import io.scurry.job.Names;
import io.scurry.job.link.Keys;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Update;
import java.util.regex.Pattern;

/**
 * Turns stream entries into requests and registry messages; pure.
 *
 * <p>An entry it cannot understand becomes a request with a {@code defect}: one sentence, answered as bad_request,
 * beside the raw fields (each cut to the claim-check threshold) that go to the dead letters.
 */
final class EntryParser {
  private static final Pattern MODEL = Pattern.compile(Names.MODEL_NAME);
  private static final int LARGEST_UPDATE = 256 * 1024;
  private static final int MOST_DEFECTIVE_FIELDS = 64;

  private final Keys keys;
  private final boolean separateRegistry;
  private final Digest digest = new Digest();

  EntryParser(Keys keys, boolean separateRegistry) {
    this.keys = keys;
    this.separateRegistry = separateRegistry;
  }

  private String notHere() {
    return "Registry messages go to " + keys.registryIn() + ".";
  }

  Parsed parse(Entry entry) {
    Fields fields = new Fields(entry.fields);
    try {
      String kind = fields.text("kind");
      if (kind.equals("registry")) {
        Update update = update(entry, fields);
        return separateRegistry && !entry.stream.equals(keys.registryIn())
            ? Parsed.of(Refusals.of(update, "not_allowed", notHere())) : Parsed.of(update);
      }
      if (!kind.isEmpty() && !kind.equals("request")) {
        throw new Defect("The kind '" + shown(kind) + "' is unknown; leave it out or say registry.");
      }
      return Parsed.of(request(entry, fields));
    } catch (Defect defect) {
      return Parsed.of(defective(entry, fields, defect.getMessage()));
    }
  }

  private Request.Builder request(Entry entry, Fields fields) throws Defect {
    String model = model(fields);
    String encoding = Bodies.field(fields);
    byte[] body = fields.bytes(encoding);
    Request.Builder builder = Request.newBuilder()
        .setId(id(entry, fields))
        .setEntry(entry.place())
        .setModel(model)
        .setVersion(fields.text("version", Limits.VERSION_BYTES))
        .setEncoding(Bodies.encoding(encoding, fields))
        .setBody(UnsafeByteOperations.unsafeWrap(body))
        .setReply(reply(fields))
        .setDeadline(fields.number("deadline", 0, Long.MAX_VALUE, 0))
        .setKey(fields.text("key", Limits.ID_BYTES))
        .setPriority((int) fields.number("priority", Integer.MIN_VALUE, Integer.MAX_VALUE, 0))
        .setTenant(fields.text("tenant", Limits.ID_BYTES))
        .setTraceparent(fields.text("traceparent", Limits.ID_BYTES))
        .setBulk(entry.stream.equals(keys.bulk()));
    if (fields.has("keep")) {
      builder.setKeep((int) fields.number("keep", 0, Integer.MAX_VALUE, 0));
    }
    Bodies.answer(builder, fields);
    return builder.setDigest(digest.of(encoding, model, builder.getVersion(), body));
  }

  private Update update(Entry entry, Fields fields) throws Defect {
    String model = model(fields);
    boolean json = fields.bytes("update") != null;
    Update.Builder builder = change(fields)
        .setModel(model)
        .setDigest(digest.of(json ? "registry update" : "registry request", model, "",
            fields.bytes(json ? "update" : "request")))
        .setId(id(entry, fields))
        .setEntry(entry.place())
        .setReply(reply(fields))
        .clearReplayed()
        .clearKeep();
    if (fields.has("keep")) {
      builder.setKeep((int) fields.number("keep", 0, Integer.MAX_VALUE, 0));
    }
    return builder.build();
  }

  private static Update.Builder change(Fields fields) throws Defect {
    byte[] json = fields.bytes("update");
    byte[] serialised = fields.bytes("request");
    if ((json == null) == (serialised == null)) {
      throw new Defect("A registry message has either update (JSON) or request (a serialised Update).");
    }
    if ((json != null ? json : serialised).length > LARGEST_UPDATE) {
      throw new Defect("The registry message is larger than " + LARGEST_UPDATE + " bytes.");
    }
    if (json != null) {
      return Update.newBuilder().setJson(fields.text("update"));
    }
    try {
      return Update.parseFrom(serialised).toBuilder();
    } catch (InvalidProtocolBufferException e) {
      throw new Defect("The request of the registry message is not a serialised Update.");
    }
  }

  private static String model(Fields fields) throws Defect {
    String model = fields.text("model");
    if (model.isEmpty()) {
      throw new Defect("There is no model.");
    }
    if (!MODEL.matcher(model).matches()) {
      throw new Defect("The model name '" + shown(model) + "' must match " + Names.MODEL_NAME + ".");
    }
    return model;
  }

  private static String id(Entry entry, Fields fields) throws Defect {
    String id = fields.text("id", Limits.ID_BYTES);
    return id.isEmpty() ? entry.id : id;
  }

  private String reply(Fields fields) throws Defect {
    String reply = fields.text("reply");
    if (!reply.isEmpty() && !keys.isReplyStream(reply)) {
      throw new Defect("Replies go to streams named " + keys.namespace + ":replies:<client>, not to '" + shown(reply)
          + "'.");
    }
    return reply;
  }

  private Request.Builder defective(Entry entry, Fields fields, String sentence) {
    String id = fields.textOrNothing("id", Limits.ID_BYTES);
    String reply = fields.textOrNothing("reply", Limits.REPLY_BYTES);
    Request.Builder builder = Request.newBuilder()
        .setId(id.isEmpty() ? entry.id : id)
        .setEntry(entry.place())
        .setReply(keys.isReplyStream(reply) ? reply : "")
        .setBulk(entry.stream.equals(keys.bulk()))
        .setDefect(sentence)
        .setDigest(digest.ofAll(entry.fields));
    Bodies.answerIfAny(builder, fields);
    String model = fields.textOrNothing("model", Names.CLAIM_CHECK_BYTES);
    if (MODEL.matcher(model).matches()) {
      builder.setModel(model);
    }
    for (int i = 0; i + 1 < entry.fields.size() && i < 2 * MOST_DEFECTIVE_FIELDS; i += 2) {
      builder.putFields(Entry.text(cut(entry.fields.get(i), 256).toByteArray()),
          cut(entry.fields.get(i + 1), Names.CLAIM_CHECK_BYTES));
    }
    return builder;
  }

  private static ByteString cut(byte[] bytes, int length) {
    return UnsafeByteOperations.unsafeWrap(bytes, 0, Math.min(bytes.length, length));
  }

  private static String shown(String text) {
    return text.length() <= 64 ? text : text.substring(0, 64) + "…";
  }
}
