// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.wire.Messages.Replies;
import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Requests;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.functions.source.SourceFunction;
import org.apache.flink.streaming.api.operators.StreamSource;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;

/** One run of the ingress: its operator in Flink's harness, its loop on a thread of its own. */
final class SourceRun implements AutoCloseable {
  private final RedisSource source;
  private final AbstractStreamOperatorTestHarness<Mail> harness;
  private final Context context = new Context();
  private final Thread thread;
  private volatile Throwable failure;
  private boolean closed;

  SourceRun(IngressSpec spec, int parallelism, int index, OperatorSubtaskState state) throws Exception {
    source = new RedisSource(spec);
    harness = new AbstractStreamOperatorTestHarness<>(new StreamSource<>(source), 128, parallelism, index);
    harness.setup();
    if (state == null) {
      harness.initializeEmptyState();
    } else {
      harness.initializeState(state);
    }
    harness.open();
    thread = new Thread(() -> {
      try {
        source.run(context);
      } catch (Throwable e) {
        failure = e;
      }
    });
    thread.start();
  }

  OperatorSubtaskState snapshot(long checkpoint) throws Exception {
    synchronized (context.getCheckpointLock()) {
      return harness.snapshot(checkpoint, checkpoint);
    }
  }

  void complete(long checkpoint) throws Exception {
    synchronized (context.getCheckpointLock()) {
      harness.notifyOfCompletedCheckpoint(checkpoint);
    }
  }

  List<Mail> mail() {
    synchronized (context.getCheckpointLock()) {
      return new ArrayList<>(context.mail);
    }
  }

  /** Ids of all requests emitted so far. */
  List<String> ids() throws Exception {
    List<String> ids = new ArrayList<>();
    for (Mail one : mail()) {
      if (one.to.type().name().equals("answers")) {
        continue;
      }
      for (Request request : Requests.parseFrom(one.value.getValue()).getRequestsList()) {
        ids.add(request.getId());
      }
    }
    return ids;
  }

  /** What the ingress answered itself, so far. */
  List<Reply> refusals() throws Exception {
    List<Reply> refusals = new ArrayList<>();
    for (Mail one : mail()) {
      if (one.to.type().name().equals("answers")) {
        refusals.addAll(Replies.parseFrom(one.value.getValue()).getRepliesList());
      }
    }
    return refusals;
  }

  List<String> await(int requests) throws Exception {
    for (int i = 0; i < 2_000 && ids().size() < requests; i++) {
      if (failure != null) {
        throw new AssertionError("The source failed.", failure);
      }
      Thread.sleep(5);
    }
    return ids();
  }

  Throwable awaitFailure() throws InterruptedException {
    thread.join(10_000);
    return failure;
  }

  boolean isAlive() {
    return thread.isAlive();
  }

  @Override
  public void close() throws Exception {
    if (!closed) {
      closed = true;
      source.cancel();
      thread.join(5_000);
      harness.close();
    }
  }

  private static final class Context implements SourceFunction.SourceContext<Mail> {
    private final List<Mail> mail = new ArrayList<>();
    private final Object lock = new Object();

    @Override
    public void collect(Mail element) {
      mail.add(element);
    }

    @Override
    public void collectWithTimestamp(Mail element, long timestamp) {
      mail.add(element);
    }

    @Override
    public void emitWatermark(Watermark mark) {}

    @Override
    public void markAsTemporarilyIdle() {}

    @Override
    public Object getCheckpointLock() {
      return lock;
    }

    @Override
    public void close() {}
  }
}
