// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBuf;
import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBufAllocator;

/**
 * Cuts the bytes of a response into frames as they come, wherever they are split.
 *
 * <p>A frame that lies within one piece is handed on in place; only one that spans pieces is gathered in a buffer.
 */
final class FrameDecoder {

  /** Who takes the frames; the payload is lent for the duration of the call. */
  interface Sink {
    void frame(int index, int kind, ByteBuf payload);
  }

  private final Sink sink;
  private final int maxFrame;
  private ByteBuf partial;

  FrameDecoder(Sink sink, int maxFrame) {
    this.sink = sink;
    this.maxFrame = maxFrame;
  }

  /** Takes the readable bytes of this piece. Throws {@link BadFrame} when they make no sense. */
  void feed(ByteBuf piece, ByteBufAllocator allocator) {
    if (partial != null) {
      fill(piece, allocator);
    }
    while (partial == null && piece.readableBytes() >= Frames.ANSWER_HEAD) {
      int length = length(piece, piece.readerIndex());
      if (piece.readableBytes() < Frames.ANSWER_HEAD + length) {
        break;
      }
      emit(piece, length);
    }
    if (piece.isReadable()) {
      keep(piece, allocator);
    }
  }

  /** Whether a frame has begun and not ended. */
  boolean isMidFrame() {
    return partial != null;
  }

  /** Gives back what is kept of an unfinished frame. */
  void close() {
    if (partial != null) {
      partial.release();
      partial = null;
    }
  }

  private void fill(ByteBuf piece, ByteBufAllocator allocator) {
    take(piece, Frames.ANSWER_HEAD);
    if (partial.readableBytes() < Frames.ANSWER_HEAD) {
      return;
    }
    int length = length(partial, 0);
    int whole = Frames.ANSWER_HEAD + length;
    if (partial.maxWritableBytes() + partial.readableBytes() < whole) {
      ByteBuf larger = allocator.directBuffer(whole, whole).writeBytes(partial);
      partial.release();
      partial = larger;
    }
    take(piece, whole);
    if (partial.readableBytes() == whole) {
      ByteBuf complete = partial;
      partial = null;
      try {
        emit(complete, length);
      } finally {
        complete.release();
      }
    }
  }

  private void take(ByteBuf piece, int upTo) {
    partial.writeBytes(piece, Math.max(0, Math.min(upTo - partial.readableBytes(), piece.readableBytes())));
  }

  private void keep(ByteBuf piece, ByteBufAllocator allocator) {
    if (partial == null) {
      int known = piece.readableBytes();
      int whole = known < Frames.ANSWER_HEAD ? Frames.ANSWER_HEAD
          : Frames.ANSWER_HEAD + length(piece, piece.readerIndex());
      partial = allocator.directBuffer(whole, whole);
      partial.writeBytes(piece);
    }
  }

  private int length(ByteBuf buffer, int at) {
    long length = buffer.getUnsignedInt(at);
    if (length > maxFrame) {
      throw new BadFrame("a frame of " + length + " bytes, more than max_frame " + maxFrame);
    }
    return (int) length;
  }

  private void emit(ByteBuf buffer, int length) {
    buffer.skipBytes(4);
    int index = buffer.readInt();
    int kind = buffer.readUnsignedByte();
    ByteBuf payload = buffer.readSlice(length);
    sink.frame(index, kind, payload);
  }

  /** Bytes that are no frame of ours. */
  static final class BadFrame extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BadFrame(String message) {
      super(message);
    }
  }
}
