// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBuf;
import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBufAllocator;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;

/** One HTTP request full of calls, and which of them are still unanswered. */
final class Exchange implements FrameDecoder.Sink {

  /** Who is told what became of the calls. */
  interface Owner {
    void answered(Call call, FromFunction answer);

    void failed(Call call, String cause);

    void refused(Call call, String cause);

    void heard();
  }

  final long started = System.nanoTime();
  private final List<Call> calls;
  private final Owner owner;
  private final FrameDecoder decoder;
  private final List<Call> answeredCalls = new ArrayList<>();
  private final List<FromFunction> answers = new ArrayList<>();
  private int open;
  private long heard = started;

  Exchange(List<Call> calls, Owner owner, int maxFrame) {
    this.calls = new ArrayList<>(calls);
    this.owner = owner;
    this.open = calls.size();
    this.decoder = new FrameDecoder(this, maxFrame);
  }

  /** Takes some bytes of the response. Throws {@link FrameDecoder.BadFrame} when they make no sense. */
  void feed(ByteBuf piece, ByteBufAllocator allocator) {
    decoder.feed(piece, allocator);
  }

  /** The process has sent something. */
  void touch() {
    heard = System.nanoTime();
  }

  boolean isSilent(long now, long limit) {
    return now - heard > limit;
  }

  /** Calls in it, answered or not, until it is drained. */
  int size() {
    return calls.size();
  }

  @Override
  public void frame(int index, int kind, ByteBuf payload) {
    owner.heard();
    if (kind == Frames.HEARTBEAT) {
      return;
    }
    Call call = take(index);
    switch (kind) {
      case Frames.ANSWER:
        answer(call, payload);
        break;
      case Frames.FAILED:
        owner.failed(call, payload.toString(StandardCharsets.UTF_8));
        break;
      case Frames.DRAINING:
        owner.refused(call, "the process is draining");
        break;
      default:
        owner.failed(call, "an answer of the unknown kind " + kind);
    }
  }

  private Call take(int index) {
    Call call = index >= 0 && index < calls.size() ? calls.get(index) : null;
    if (call == null) {
      throw new FrameDecoder.BadFrame("an answer to call " + index + ", which is not open");
    }
    calls.set(index, null);
    open--;
    return call;
  }

  private void answer(Call call, ByteBuf payload) {
    try {
      answers.add(FromFunction.parseFrom(payload.nioBuffer()));
      answeredCalls.add(call);
    } catch (InvalidProtocolBufferException e) {
      owner.failed(call, "an answer that is no FromFunction: " + e.getMessage());
    }
  }

  /** Completes what has been read, back to back, so that the task thread wakes up once and finds it all. */
  void deliver() {
    for (int i = 0; i < answers.size(); i++) {
      owner.answered(answeredCalls.get(i), answers.get(i));
    }
    answers.clear();
    answeredCalls.clear();
  }

  /** Takes all calls that are still open. */
  List<Call> drain() {
    List<Call> left = new ArrayList<>(open);
    for (Call call : calls) {
      if (call != null) {
        left.add(call);
      }
    }
    calls.clear();
    open = 0;
    return left;
  }

  /** Gives back what is kept of an unfinished frame. */
  void close() {
    decoder.close();
  }

  /** Writes the frames of all calls. */
  void write(ByteBuf out, int size) {
    Frames.write(calls, size, out);
  }

  int bytes() {
    return Frames.size(calls);
  }

  @Override
  public String toString() {
    return "<Exchange " + open + " of " + calls.size() + " calls open>";
  }
}
