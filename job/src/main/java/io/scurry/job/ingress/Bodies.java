// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import com.google.protobuf.ByteString;
import io.scurry.job.Limits;
import io.scurry.job.Names;
import io.scurry.wire.Messages.Encoding;
import io.scurry.wire.Messages.Request;

/** In which field the body of an entry stands, how it is written, and where its answer goes; pure. */
final class Bodies {
  private static final String[] FIELDS = {"inputs", "request", "data"};

  private Bodies() {}

  /** The one field with a body. */
  static String field(Fields fields) throws Defect {
    String found = "";
    for (String name : FIELDS) {
      if (fields.bytes(name) != null) {
        if (!found.isEmpty()) {
          throw new Defect("There are both " + found + " and " + name + ".");
        }
        found = name;
      }
    }
    if (found.isEmpty()) {
      throw new Defect("There is neither inputs nor request nor data.");
    }
    return found;
  }

  static Encoding encoding(String field, Fields fields) {
    switch (field) {
      case "inputs":
        return Encoding.ENCODING_INPUTS;
      case "data":
        return fields.textOrNothing("serde", Limits.ID_BYTES).equals(Names.SERDE_STREAM)
            ? Encoding.ENCODING_INSTANCES : Encoding.ENCODING_ARROW;
      default:
        return Encoding.ENCODING_REQUEST;
    }
  }

  /** An entry of a bound stream says where its answer goes. */
  static void answer(Request.Builder request, Fields fields) throws Defect {
    String stream = fields.text("stream", Limits.STREAM_BYTES);
    request.setBatched(fields.number("batched", 0, 1, 0) == 1);
    if (stream.isEmpty()) {
      return;
    }
    byte[] uri = fields.bytes("uri");
    if (fields.bytes("data") == null) {
      throw new Defect("Only data is answered as Cluster Serving does: there is a stream without it.");
    }
    if (uri == null || uri.length > Limits.URI_BYTES) {
      throw new Defect(uri == null ? "There is a stream, but no uri: nobody can be answered."
          : "The field uri is longer than " + Limits.URI_BYTES + " bytes.");
    }
    request.setStream(stream).setUri(ByteString.copyFrom(uri));
  }

  /** What makes no sense is answered too, if that can be. */
  static void answerIfAny(Request.Builder request, Fields fields) {
    String stream = fields.textOrNothing("stream", Limits.STREAM_BYTES);
    byte[] uri = fields.bytes("uri");
    if (!stream.isEmpty() && uri != null && uri.length <= Limits.URI_BYTES) {
      request.setStream(stream).setUri(ByteString.copyFrom(uri));
    }
  }
}
