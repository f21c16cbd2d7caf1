// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBuf;

/**
 * How coalesced calls are written: the words shared with {@code scurry.endpoint}.
 *
 * <p>A request is {@code u32 length | ToFunction} for each call; a response {@code u32 length | u32 index | u8 kind |
 * payload} for each answer, in any order. Numbers are big-endian, lengths count the payload only.
 */
final class Frames {
  static final String PATH = "/calls";
  static final String READY_PATH = "/readyz";
  static final String CONTENT_TYPE = "application/vnd.scurry.calls";

  /** A serialised FromFunction. */
  static final int ANSWER = 0;

  /** Still computing. */
  static final int HEARTBEAT = 1;

  /** This call failed; the payload is a sentence. */
  static final int FAILED = 2;

  /** Not begun, because the process is draining: for another process. */
  static final int DRAINING = 3;

  /** Bytes before a call. */
  static final int CALL_HEAD = 4;

  /** Bytes before an answer. */
  static final int ANSWER_HEAD = 9;

  private Frames() {}

  /** Bytes that these calls take. */
  static int size(List<Call> calls) {
    int size = 0;
    for (Call call : calls) {
      size += CALL_HEAD + call.size;
    }
    return size;
  }

  /** Appends the calls to a buffer that has room for {@code size} bytes, without a copy in between. */
  static void write(List<Call> calls, int size, ByteBuf out) {
    CodedOutputStream stream = CodedOutputStream.newInstance(out.nioBuffer(out.writerIndex(), size));
    try {
      for (Call call : calls) {
        stream.writeFixed32NoTag(Integer.reverseBytes(call.size));
        call.request.writeTo(stream);
      }
      stream.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out.writerIndex(out.writerIndex() + size);
  }
}
