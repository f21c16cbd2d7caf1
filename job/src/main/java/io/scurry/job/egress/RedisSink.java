// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.sink.RichSinkFunction;

/**
 * Brings replies, views, audit lines and dead letters to Redis.
 *
 * <p>The task thread only queues; a writer thread takes what has gathered, and a checkpoint waits until Redis has
 * acknowledged all of it: what was not acknowledged is computed again. The only state are the models' records, for a
 * Redis that lost them.
 */
final class RedisSink extends RichSinkFunction<TypedValue> implements CheckpointedFunction, CheckpointListener {
  private static final long serialVersionUID = 1L;
  private static final int MESSAGES_AT_ONCE = 256;

  private final EgressSpec spec;

  private transient WriteQueue queue;
  private transient Consumed consumed;
  private transient Views views;
  private transient ListState<Tuple2<String, String>> state;
  private transient volatile boolean lookAtViews;
  private transient ReplyWriter writer;
  private transient Thread thread;

  RedisSink(EgressSpec spec) {
    this.spec = spec;
  }

  @Override
  public void open(Configuration parameters) {
    String name = "scurry-egress-" + getRuntimeContext().getIndexOfThisSubtask();
    queue = new WriteQueue(spec.queueBytes);
    consumed = new Consumed();
    writer = new ReplyWriter(spec, name);
    thread = new Thread(this::write, name);
    thread.setDaemon(true);
    thread.start();
    measure(getRuntimeContext().getMetricGroup());
  }

  private void measure(MetricGroup metrics) {
    ReplyWriter.Outcome outcome = writer.outcome;
    metrics.gauge("scurryEgressWon", () -> outcome.won);
    metrics.gauge("scurryEgressReplayed", () -> outcome.replayed);
    metrics.gauge("scurryEgressRetried", () -> outcome.retried);
    metrics.gauge("scurryEgressRefused", () -> outcome.refused);
    metrics.gauge("scurryEgressConflicts", () -> outcome.conflicts);
    metrics.gauge("scurryEgressDead", () -> outcome.dead);
  }

  private void write() {
    WriteQueue mine = queue;
    try {
      while (!mine.isClosed()) {
        List<String> unlinks = new ArrayList<>();
        Writing writing = new Writing(spec);
        mine.take(MESSAGES_AT_ONCE, unlinks).forEach(writing::add);
        // Before the write: a flush that sees it written must see these too.
        consumed.add(writing.consumed);
        writing.views.forEach(view -> views.put(view.getModel(), view.getRecord()));
        writer.write(writing);
        if (lookAtViews) {
          lookAtViews = false;
          writer.restore(views.records());
        }
        writer.unlink(unlinks);
      }
    } catch (Throwable e) {
      mine.fail(e);
    }
  }

  @Override
  public void invoke(TypedValue value, Context context) throws Exception {
    queue.put(value);
  }

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    views = new Views();
    state = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("views", Views.TYPE));
    for (Tuple2<String, String> view : state.get()) {
      views.put(view.f0, view.f1);
    }
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    queue.flush();
    consumed.seal(context.getCheckpointId());
    state.update(views.tuples());
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) {
    lookAtViews = true;
    queue.unlink(consumed.release(checkpointId));
  }

  @Override
  public void close() throws Exception {
    if (queue != null) {
      queue.close();
      writer.close();
      thread.interrupt();
      thread.join(5_000);
    }
  }
}
