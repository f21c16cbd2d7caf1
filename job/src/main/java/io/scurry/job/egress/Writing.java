// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import com.google.protobuf.UnsafeByteOperations;
import io.scurry.job.Limits;
import io.scurry.job.Names;
import io.scurry.wire.Messages.Audit;
import io.scurry.wire.Messages.DeadLetter;
import io.scurry.wire.Messages.Encoding;
import io.scurry.wire.Messages.Replies;
import io.scurry.wire.Messages.Released;
import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.View;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/** What a handful of egress messages ask to be written: replies, and entries and fields beside them; pure. */
final class Writing {
  /** One field of a hash (a null value deletes it). */
  static final class Field {
    final String key;
    final String field;
    final byte[] value;

    Field(String key, String field, byte[] value) {
      this.key = key;
      this.field = field;
      this.value = value;
    }
  }

  /** One entry of a stream that is cut to a length. */
  static final class Line {
    final String stream;
    final int length;
    final Map<byte[], byte[]> fields;

    Line(String stream, int length, Map<byte[], byte[]> fields) {
      this.stream = stream;
      this.length = length;
      this.fields = fields;
    }
  }

  final List<Reply> replies = new ArrayList<>();

  /** Of these, those to what was never in flight. */
  final Set<Reply> uncounted = Collections.newSetFromMap(new IdentityHashMap<>());

  /** Parked inputs that are needed no longer. */
  final List<String> consumed = new ArrayList<>();

  /** Parked inputs of refused requests: whoever sends one again with the same id may refer to them again. */
  final List<String> lent = new ArrayList<>();

  final List<View> views = new ArrayList<>();
  final List<Field> hashes = new ArrayList<>();
  final List<Line> lines = new ArrayList<>();

  private final EgressSpec spec;

  Writing(EgressSpec spec) {
    this.spec = spec;
  }

  /** Takes one message; what cannot be understood becomes a dead letter, never an exception. */
  void add(TypedValue value) {
    String type = value.getTypename();
    try {
      if (type.equals(Names.TYPE_PREFIX + "Replies")) {
        parse(Replies.parser(), value.getValue()).getRepliesList().forEach(this::add);
      } else if (type.equals(Names.REFUSALS)) {
        List<Reply> refusals = parse(Replies.parser(), value.getValue()).getRepliesList();
        refusals.forEach(this::add);
        uncounted.addAll(refusals);
      } else if (type.equals(Names.TYPE_PREFIX + "Reply")) {
        add(parse(Reply.parser(), value.getValue()));
      } else if (type.equals(Names.TYPE_PREFIX + "Released")) {
        add(parse(Released.parser(), value.getValue()));
      } else if (type.equals(Names.TYPE_PREFIX + "View")) {
        add(parse(View.parser(), value.getValue()));
      } else if (type.equals(Names.TYPE_PREFIX + "Audit")) {
        add(parse(Audit.parser(), value.getValue()));
      } else if (type.equals(Names.TYPE_PREFIX + "DeadLetter")) {
        add(parse(DeadLetter.parser(), value.getValue()));
      } else {
        dead("internal: the egress does not know messages of type " + type + ".", value);
      }
    } catch (IOException e) {
      dead("internal: a message of type " + type + " cannot be parsed.", value);
    }
  }

  /** Bodies stay slices of the message they came in. */
  private static <M> M parse(Parser<M> parser, ByteString bytes) throws IOException {
    CodedInputStream in = bytes.newCodedInput();
    in.enableAliasing(true);
    M message = parser.parseFrom(in);
    if (!in.isAtEnd()) {
      throw new InvalidProtocolBufferException("trailing bytes");
    }
    return message;
  }

  private void add(Reply reply) {
    if (reply.getId().isEmpty()) {
      Map<String, ByteString> fields = new LinkedHashMap<>();
      fields.put("reply", reply.toByteString());
      dead("internal: a reply without an id reached the egress.", 0, reply.getEntry(), fields);
      return;
    }
    replies.add(reply);
    List<String> inputs = ReplyScript.REFUSALS.contains(reply.getError()) ? lent : consumed;
    for (String key : reply.getConsumedList()) {
      if (spec.keys.owns(reply.getId(), key)) {
        inputs.add(key);
      }
    }
  }

  private void add(Released released) {
    for (String key : released.getKeysList()) {
      if (spec.keys.owns(released.getId(), key)) {
        consumed.add(key);
      }
    }
  }

  private void add(View view) {
    views.add(view);
    byte[] record = view.getRecord().isEmpty() ? null : view.getRecordBytes().toByteArray();
    hashes.add(new Field(spec.keys.models(), view.getModel(), record));
  }

  private void add(Audit audit) {
    Map<byte[], byte[]> fields = new LinkedHashMap<>();
    put(fields, "model", audit.getModelBytes());
    put(fields, "sequence", text(Long.toString(audit.getSequence())));
    put(fields, "update", audit.getUpdateBytes());
    put(fields, "outcome", audit.getOutcomeBytes());
    put(fields, "at", text(Long.toString(audit.getAt())));
    if (audit.getNumber() > 0) {
      put(fields, "number", text(Long.toString(audit.getNumber())));
      put(fields, "record", audit.getRecordBytes());
    }
    lines.add(new Line(spec.keys.registry(), spec.auditLength, fields));
  }

  private void add(DeadLetter letter) {
    Map<String, ByteString> fields = letter.getFieldsCount() > 0 ? letter.getFieldsMap() : fields(letter.getRequest());
    dead(letter.getCause(), letter.getAttempts(), letter.getRequest().getEntry(), fields);
  }

  /** The entry as its sender wrote it; a parked body shows as {@code payload}, with its {@code encoding}. */
  static Map<String, ByteString> fields(Request request) {
    if (request.getFieldsCount() > 0) {
      return request.getFieldsMap();
    }
    Map<String, ByteString> fields = new LinkedHashMap<>();
    String body = bodyField(request.getEncoding());
    fields.put("model", request.getModelBytes());
    fields.put(body, request.getBody());
    fields.put("id", request.getIdBytes());
    fields.put("version", request.getVersionBytes());
    fields.put("reply", request.getReplyBytes());
    fields.put("key", request.getKeyBytes());
    fields.put("tenant", request.getTenantBytes());
    fields.put("traceparent", request.getTraceparentBytes());
    fields.put("payload", request.getPayloadBytes());
    fields.put("encoding", request.getPayload().isEmpty() ? ByteString.EMPTY : text(body));
    fields.put("stream", request.getStreamBytes());
    fields.put("uri", request.getUri());
    fields.put("batched", request.getBatched() ? text("1") : ByteString.EMPTY);
    fields.put("serde", request.getEncoding() == Encoding.ENCODING_INSTANCES ? text(Names.SERDE_STREAM)
        : ByteString.EMPTY);
    number(fields, "deadline", request.getDeadline(), request.getDeadline() != 0);
    number(fields, "priority", request.getPriority(), request.getPriority() != 0);
    number(fields, "keep", request.getKeep(), request.hasKeep());
    fields.values().removeIf(ByteString::isEmpty);
    return fields;
  }

  private static String bodyField(Encoding encoding) {
    switch (encoding) {
      case ENCODING_INPUTS:
        return "inputs";
      case ENCODING_ARROW:
      case ENCODING_INSTANCES:
        return "data";
      default:
        return "request";
    }
  }

  private static void number(Map<String, ByteString> fields, String name, long value, boolean present) {
    if (present) {
      fields.put(name, text(Long.toString(value)));
    }
  }

  private void dead(String cause, TypedValue value) {
    Map<String, ByteString> fields = new LinkedHashMap<>();
    fields.put("typename", value.getTypenameBytes());
    fields.put("value", value.getValue());
    dead(cause, 0, "", fields);
  }

  /** The original fields are prefixed, so that none can pass for ours. */
  void dead(String cause, int attempts, String entry, Map<String, ByteString> original) {
    Map<byte[], byte[]> fields = new LinkedHashMap<>();
    put(fields, "cause", Limits.sentence(text(cause)));
    put(fields, "attempts", text(Integer.toString(attempts)));
    put(fields, "entry", text(entry));
    original.forEach((name, value) -> put(fields, "field:" + name, value));
    lines.add(new Line(spec.keys.dead(), spec.deadLength, fields));
  }

  private static void put(Map<byte[], byte[]> fields, String name, ByteString value) {
    fields.put(name.getBytes(StandardCharsets.UTF_8), value.toByteArray());
  }

  private static ByteString text(String text) {
    return UnsafeByteOperations.unsafeWrap(text.getBytes(StandardCharsets.UTF_8));
  }
}
