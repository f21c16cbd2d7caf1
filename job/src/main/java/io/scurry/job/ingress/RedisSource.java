// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.job.Misconfigured;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.source.RichParallelSourceFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the request streams from where the last checkpoint stood, and says to which function each message goes.
 *
 * <p>The position is Flink state, not a consumer group's: only so does a restore rewind it. Streams are dealt out by
 * {@code index % parallelism}; the streams for bulk and for registry messages come after the partitions.
 */
final class RedisSource extends RichParallelSourceFunction<Mail> implements CheckpointedFunction, CheckpointListener {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(RedisSource.class);

  private final IngressSpec spec;

  private transient ListState<Tuple3<String, String, Long>> state;
  private transient Map<String, Position> restored;
  private transient boolean isRestored;
  private transient volatile boolean running;
  private transient volatile StreamReader reader;
  private transient volatile Progress progress;
  private transient CheckpointAge checkpoints;
  private transient Housekeeper housekeeper;
  private transient Counter gaps;
  private transient int partitions;

  RedisSource(IngressSpec spec) {
    this.spec = spec;
  }

  @Override
  public void open(Configuration parameters) throws InterruptedException {
    String name = "scurry-ingress-" + getRuntimeContext().getIndexOfThisSubtask();
    reader = new StreamReader(spec, name);
    boolean notes = getRuntimeContext().getIndexOfThisSubtask() == 0;
    housekeeper = new Housekeeper(spec.redis, name + "-housekeeper", notes ? spec.keys.job() : null);
    gaps = getRuntimeContext().getMetricGroup().counter("scurryIngressGaps");
    checkpoints = new CheckpointAge(spec.checkpointPatience, System::nanoTime);
    running = true;
    try {
      reader.probe();
    } catch (Misconfigured e) {
      throw new SuppressRestartsException(e);
    }
  }

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    state = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor<>("positions", Position.TYPE));
    isRestored = context.isRestored();
    restored = new HashMap<>();
    for (Tuple3<String, String, Long> tuple : state.get()) {
      Position position = Position.of(tuple);
      restored.merge(position.stream, position, (a, b) -> a.id.compareTo(b.id) >= 0 ? a : b);
    }
  }

  @Override
  public void run(SourceContext<Mail> context) throws Exception {
    try {
      List<Position> starting = startingPositions();
      Progress mine = new Progress(starting, spec);
      Backlog backlog = Backlog.of(reader, starting);
      synchronized (context.getCheckpointLock()) {
        progress = mine;
      }
      if (getRuntimeContext().getIndexOfThisSubtask() == 0) {
        reader.tellStart(getRuntimeContext().getAttemptNumber());
      }
      ReadLoop loop =
          new ReadLoop(spec, reader, mine, backlog, checkpoints, share(), getRuntimeContext().getMetricGroup());
      while (running) {
        loop.turn(context);
      }
    } catch (Misconfigured e) {
      throw new SuppressRestartsException(e);
    } catch (RuntimeException | InterruptedException e) {
      // A cancelled source was woken by closing its socket.
      if (running) {
        throw e;
      }
    }
  }

  private List<Position> startingPositions() throws InterruptedException {
    partitions = reader.partitions();
    List<String> streams = new ArrayList<>(spec.keys.requests(partitions));
    streams.add(spec.keys.bulk());
    streams.add(spec.keys.registryIn());
    int index = getRuntimeContext().getIndexOfThisSubtask();
    int parallelism = getRuntimeContext().getNumberOfParallelSubtasks();
    List<Position> positions = new ArrayList<>();
    for (int i = index; i < streams.size(); i += parallelism) {
      positions.add(startingPosition(streams.get(i)));
    }
    LOG.info("The ingress reads {}.", positions);
    return positions;
  }

  private Position startingPosition(String stream) throws InterruptedException {
    Position position = restored.get(stream);
    if (!isRestored || position == null) {
      return new Position(stream, EntryId.ZERO, reader.facts(stream).trimmed());
    }
    String gap = reader.gap(position);
    if (gap == null) {
      return position.isStart() ? new Position(stream, EntryId.ZERO, reader.facts(stream).trimmed()) : position;
    }
    gaps.inc();
    reader.tellGap();
    if (!spec.resumeOnGap) {
      throw new Misconfigured("The stream " + stream + " cannot be continued without loss: " + gap
          + ". Set onGap: resume on the ingress to go on regardless.");
    }
    LOG.warn("Entries of {} may be missing, going on because of onGap: resume: {}.", stream, gap);
    EntryId last = reader.facts(stream).last;
    return last.compareTo(position.id) < 0 ? new Position(stream, last, position.read) : position;
  }

  /** This subtask's part of the bound on what is in flight. */
  private long share() {
    int parallelism = getRuntimeContext().getNumberOfParallelSubtasks();
    return Math.max(1, spec.inFlightBytes / Math.min(parallelism, partitions));
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    Progress current = progress;
    state.clear();
    Iterable<Position> positions = current == null ? restored.values() : current.positions();
    for (Position position : positions) {
      state.add(position.tuple());
    }
    checkpoints.begun();
    if (current != null) {
      current.snapshot(context.getCheckpointId());
    }
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) {
    checkpoints.completed();
    Progress current = progress;
    if (current != null) {
      housekeeper.tidy(current.complete(checkpointId, System.currentTimeMillis()));
    }
  }

  @Override
  public void cancel() {
    running = false;
    StreamReader current = reader;
    if (current != null) {
      current.close();
    }
  }

  @Override
  public void close() {
    cancel();
    if (housekeeper != null) {
      housekeeper.close();
    }
  }
}
