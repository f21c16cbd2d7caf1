// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBuf;
import org.apache.flink.shaded.netty4.io.netty.buffer.Unpooled;
import org.apache.flink.shaded.netty4.io.netty.buffer.UnpooledByteBufAllocator;
import org.junit.jupiter.api.Test;

/** Frames come out whole, however their bytes are split. */
class FrameDecoderTest {
  private static final int LIMIT = 1000;
  private static final UnpooledByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(true);
  private static final List<String> FRAMES =
      List.of("0 0 hello", "-1 1 ", "7 2 it broke", "1 0 ", "2 3 ", "3 0 " + "x".repeat(40));

  private final List<String> seen = new ArrayList<>();
  private final FrameDecoder decoder = new FrameDecoder(this::note, LIMIT);

  private void note(int index, int kind, ByteBuf payload) {
    seen.add(index + " " + kind + " " + payload.toString(StandardCharsets.UTF_8));
  }

  private static byte[] bytes() {
    ByteBuf out = Unpooled.buffer();
    for (String frame : FRAMES) {
      String[] parts = frame.split(" ", 3);
      byte[] payload = parts[2].getBytes(StandardCharsets.UTF_8);
      out.writeInt(payload.length).writeInt(Integer.parseInt(parts[0])).writeByte(Integer.parseInt(parts[1]));
      out.writeBytes(payload);
    }
    byte[] bytes = new byte[out.readableBytes()];
    out.readBytes(bytes);
    return bytes;
  }

  private void feed(byte[] bytes, int from, int to) {
    ByteBuf piece = Unpooled.copiedBuffer(bytes, from, to - from);
    decoder.feed(piece, ALLOCATOR);
    assertFalse(piece.isReadable());
  }

  @Test
  void oneSplitAnywhereMakesNoDifference() {
    byte[] bytes = bytes();
    for (int split = 0; split <= bytes.length; split++) {
      seen.clear();
      feed(bytes, 0, split);
      feed(bytes, split, bytes.length);
      assertEquals(FRAMES, seen);
      assertFalse(decoder.isMidFrame());
    }
  }

  @Test
  void twoSplitsAnywhereMakeNoDifference() {
    byte[] bytes = bytes();
    for (int first = 0; first <= bytes.length; first++) {
      for (int second = first; second <= bytes.length; second++) {
        seen.clear();
        feed(bytes, 0, first);
        feed(bytes, first, second);
        feed(bytes, second, bytes.length);
        assertEquals(FRAMES, seen);
      }
    }
  }

  @Test
  void byteAfterByteAndAtRandomMakesNoDifference() {
    byte[] bytes = bytes();
    for (int i = 0; i < bytes.length; i++) {
      feed(bytes, i, i + 1);
    }
    assertEquals(FRAMES, seen);
    Random random = new Random(42);
    for (int round = 0; round < 1000; round++) {
      seen.clear();
      for (int from = 0; from < bytes.length; ) {
        int to = Math.min(bytes.length, from + 1 + random.nextInt(12));
        feed(bytes, from, to);
        from = to;
      }
      assertEquals(FRAMES, seen);
    }
  }

  @Test
  void whatIsKeptOfAnUnfinishedFrameIsGivenBack() {
    long before = ALLOCATOR.metric().usedDirectMemory();
    feed(bytes(), 0, 12);
    assertTrue(decoder.isMidFrame());
    assertTrue(ALLOCATOR.metric().usedDirectMemory() > before);
    decoder.close();
    assertEquals(before, ALLOCATOR.metric().usedDirectMemory());
  }

  @Test
  void anAbsurdLengthIsRefusedWholeOrSplit() {
    byte[] huge = {0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    assertThrows(FrameDecoder.BadFrame.class, () -> feed(huge, 0, 10));
    FrameDecoder other = new FrameDecoder(this::note, LIMIT);
    other.feed(Unpooled.copiedBuffer(huge, 0, 3), ALLOCATOR);
    assertThrows(FrameDecoder.BadFrame.class, () -> other.feed(Unpooled.copiedBuffer(huge, 3, 7), ALLOCATOR));
    other.close();
  }
}
