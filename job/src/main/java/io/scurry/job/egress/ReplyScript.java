// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import com.google.protobuf.ByteString;
import io.scurry.job.Limits;
import io.scurry.job.link.Keys;
import io.scurry.wire.Messages.Reply;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The first-result-wins script and how replies become its keys and arguments; pure. */
final class ReplyScript {
  /** Errors of work that never ran: they do not use an id up. */
  static final Set<String> REFUSALS = Set.of("overloaded", "rate_limited", "model_not_ready", "model_not_found",
      "unavailable");

  /** Errors that a model which nobody registered may get: its name gets no counter, there is no end of such names. */
  private static final Set<String> OF_UNKNOWN = Set.of("overloaded", "model_not_ready", "model_not_found",
      "version_not_found", "unavailable", "bad_request", "not_allowed", "deadline_exceeded");

  static final byte[] TEXT = text();
  static final byte[] SHA = sha(TEXT);

  private static final byte[] ID = bytes("id");
  private static final byte[] STATUS = bytes("status");
  private static final byte[] OK = bytes("ok");
  private static final byte[] ERROR = bytes("error");
  private static final byte[] MODEL = bytes("model");
  private static final byte[] VERSION = bytes("version");
  private static final byte[] REPLY = bytes("reply");
  private static final byte[] PAYLOAD = bytes("payload");
  private static final byte[] MESSAGE = bytes("message");
  private static final byte[] RECORD = bytes("record");
  private static final byte[] NAN = bytes("NaN");
  private static final byte[] ZERO = bytes("0");
  private static final byte[] ONE = bytes("1");

  final List<byte[]> keys = new ArrayList<>();
  final List<byte[]> arguments = new ArrayList<>();

  private final EgressSpec spec;

  private ReplyScript(EgressSpec spec) {
    this.spec = spec;
  }

  /** One call for these replies, of which some move the answered counters. */
  static ReplyScript of(List<Reply> replies, EgressSpec spec, List<Reply> counted) {
    ReplyScript call = new ReplyScript(spec);
    call.keys.add(bytes(spec.keys.answered()));
    call.arguments.add(number(spec.replyStreamLength));
    call.arguments.add(number(spec.replyStreamTtl.toSeconds()));
    call.arguments.add(number(Limits.PAYLOAD_GRACE_SECONDS));
    call.arguments.add(number(spec.clusterServingTtl.toSeconds()));
    call.arguments.add(number(spec.failuresLength));
    call.count(counted);
    replies.forEach(call::add);
    return call;
  }

  private void count(List<Reply> replies) {
    Map<String, Integer> answered = new HashMap<>();
    Set<String> known = new HashSet<>();
    for (Reply reply : replies) {
      int slash = reply.getEntry().lastIndexOf('/');
      if (slash > 0) {
        String stream = reply.getEntry().substring(0, slash);
        String model = stream + "@" + reply.getModel();
        answered.merge(stream, 1, Integer::sum);
        answered.merge(model, 1, Integer::sum);
        known.add(stream);
        if (!OF_UNKNOWN.contains(reply.getError()) || isOfBoundStream(reply)) {
          known.add(model);
        }
      }
    }
    arguments.add(number(answered.size()));
    answered.forEach((field, replied) -> {
      arguments.add(bytes(field));
      arguments.add(number(replied));
      arguments.add(known.contains(field) ? ONE : ZERO);
    });
  }

  /** A version has answered for a stream: its bridge goes on by the counter, whatever the answers are. */
  private static boolean isOfBoundStream(Reply reply) {
    return !reply.getStreamBytes().isEmpty() && !reply.getVersionBytes().isEmpty();
  }

  private void add(Reply reply) {
    boolean streams = spec.keys.isReplyStream(reply.getReply());
    boolean answers = !REFUSALS.contains(reply.getError());
    long keep = keep(reply, streams);
    List<String> parked = reply.getParkedList().stream().filter(key -> spec.keys.owns(reply.getId(), key))
        .collect(Collectors.toList());
    keys.add(bytes(spec.keys.done(reply.getId())));
    keys.add(bytes(spec.keys.result(reply.getId())));
    if (streams) {
      keys.add(reply.getReplyBytes().toByteArray());
    }
    boolean told = !reply.getStreamBytes().isEmpty();
    if (told) {
      keys.add(Keys.clusterServing(reply.getStream(), reply.getUri().toByteArray()));
      keys.add(bytes(spec.keys.failures()));
    }
    parked.forEach(key -> keys.add(bytes(key)));
    List<byte[]> fields = fields(reply);
    arguments.add(mark(reply, answers, parked));
    arguments.add(bytes(Math.max(spec.markerTtl.toSeconds(), keep) + " " + keep + (streams ? " 1" : " 0")
        + (told ? " 1 " : " 0 ") + parked.size() + " " + fields.size()));
    arguments.addAll(fields);
    if (told) {
      arguments.add(value(reply, parked));
    }
  }

  /** What a Cluster Serving client reads: the body, NaN for an error; empty for a body that is parked. */
  private static byte[] value(Reply reply, List<String> parked) {
    if (!reply.getErrorBytes().isEmpty() || reply.getBody().isEmpty() && parked.isEmpty()) {
      return NAN;
    }
    return reply.getBody().toByteArray();
  }

  /** The marker of an id that is new. */
  private static byte[] mark(Reply reply, boolean answers, List<String> parked) {
    String token = answers && !parked.isEmpty() ? line(parked.get(0)) : "";
    StringBuilder mark = new StringBuilder(96).append(answers ? "answered" : "refused");
    mark.append('\n').append(token).append('\n');
    ByteString digest = reply.getDigest();
    for (int i = 0; i < digest.size(); i++) {
      mark.append(Character.forDigit(digest.byteAt(i) >> 4 & 0xF, 16));
      mark.append(Character.forDigit(digest.byteAt(i) & 0xF, 16));
    }
    return bytes(mark.append('\n').append(line(reply.getEntry())).append('\n').toString());
  }

  /** A marker is made of lines. */
  private static String line(String text) {
    return text.replace('\n', ' ');
  }

  private long keep(Reply reply, boolean streams) {
    if (reply.hasKeep()) {
      return Math.max(0, reply.getKeep());
    }
    return (streams ? spec.keepReplied : spec.keep).toSeconds();
  }

  private static List<byte[]> fields(Reply reply) {
    List<byte[]> fields = new ArrayList<>(12);
    boolean ok = reply.getErrorBytes().isEmpty();
    put(fields, ID, reply.getIdBytes());
    fields.add(STATUS);
    fields.add(ok ? OK : ERROR);
    put(fields, MODEL, reply.getModelBytes());
    put(fields, VERSION, reply.getVersionBytes());
    if (!ok) {
      put(fields, ERROR, reply.getErrorBytes());
      put(fields, MESSAGE, Limits.sentence(reply.getMessageBytes()));
    } else if (!reply.getRecordBytes().isEmpty()) {
      put(fields, RECORD, reply.getRecordBytes());
    } else if (!reply.getPayloadBytes().isEmpty()) {
      put(fields, PAYLOAD, reply.getPayloadBytes());
    } else {
      put(fields, REPLY, reply.getBody());
    }
    return fields;
  }

  private static void put(List<byte[]> fields, byte[] name, ByteString value) {
    fields.add(name);
    fields.add(value.toByteArray());
  }

  private static byte[] number(long value) {
    return bytes(Long.toString(value));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] text() {
    try (InputStream in = ReplyScript.class.getResourceAsStream("replies.lua")) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] sha(byte[] script) {
    try {
      StringBuilder hex = new StringBuilder();
      for (byte b : MessageDigest.getInstance("SHA-1").digest(script)) {
        hex.append(String.format("%02x", b));
      }
      return bytes(hex.toString());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
