// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.streaming.api.functions.source.SourceFunction.SourceContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One turn of the ingress: wait for room, read, understand, park, emit and advance. */
final class ReadLoop {
  private static final Logger LOG = LoggerFactory.getLogger(ReadLoop.class);
  private static final int PAUSED_BLOCK_MILLIS = 20;

  private final IngressSpec spec;
  private final StreamReader reader;
  private final Progress progress;
  private final CheckpointAge checkpoints;
  private final EntryParser parser;
  private final Admission admission;
  private final Backlog backlog;
  private final Counter entries;
  private final Counter defects;
  private final Counter parkings;
  private int count;
  private int connections;

  ReadLoop(IngressSpec spec, StreamReader reader, Progress progress, Backlog backlog, CheckpointAge checkpoints,
      long mostBytes, MetricGroup metrics) {
    this.backlog = backlog;
    this.spec = spec;
    this.reader = reader;
    this.progress = progress;
    this.checkpoints = checkpoints;
    this.parser = new EntryParser(spec.keys, spec.separateRegistry);
    this.admission = new Admission(spec, reader, progress.streams(), mostBytes, metrics);
    this.entries = metrics.counter("scurryIngressEntries");
    this.defects = metrics.counter("scurryIngressDefects");
    this.parkings = metrics.counter("scurryIngressParked");
    this.count = Math.min(64, spec.batch);
    this.connections = reader.connections();
  }

  void turn(SourceContext<Mail> context) throws InterruptedException {
    if (progress.streams().isEmpty()) {
      Thread.sleep(200);
      return;
    }
    if (checkpoints.isTooHigh()) {
      Thread.sleep(200);
      return;
    }
    if (admission.isClosed()) {
      Thread.sleep(1);
      return;
    }
    boolean bulk = admission.wantsBulk();
    List<Position> from = bulk ? progress.positions() : progress.positionsWithout(spec.keys.bulk());
    if (from.isEmpty()) {
      Thread.sleep(PAUSED_BLOCK_MILLIS);
      return;
    }
    int block = admission.pausesBulk(bulk) ? PAUSED_BLOCK_MILLIS : StreamReader.BLOCK_MILLIS;
    List<Entry> read = reader.read(from, admission.count(count, bulk, from.size()), block);
    stepBackAfterLoss(context);
    if (!read.isEmpty()) {
      emit(context, read);
      adapt(read, from.size());
    }
    admission.hasRead(read);
  }

  /**
   * After a reconnect Redis may have lost its last writes. What lies behind our position was read already; a position
   * ahead of the stream would skip what comes next, so it steps back to the stream's end.
   */
  private void stepBackAfterLoss(SourceContext<Mail> context) throws InterruptedException {
    if (reader.connections() == connections) {
      return;
    }
    connections = reader.connections();
    for (Position position : progress.positions()) {
      EntryId last = reader.facts(position.stream).last;
      if (last.compareTo(position.id) < 0) {
        LOG.warn("Redis lost the end of {}: it ends at {}, {} was read.", position.stream, last, position.id);
        synchronized (context.getCheckpointLock()) {
          progress.reset(new Position(position.stream, last, position.read));
        }
      }
    }
  }

  private void emit(SourceContext<Mail> context, List<Entry> read) throws InterruptedException {
    List<Parsed> parsed = new ArrayList<>(read.size());
    for (Entry entry : read) {
      parsed.add(parser.parse(entry));
    }
    parsed = admission.admit(read, parsed);
    Map<String, byte[]> bodies = Parking.take(parsed, spec.claimCheckBytes, spec.keys);
    if (!bodies.isEmpty()) {
      reader.park(bodies);
    }
    Collection<Mail> mail = GroupByModel.group(parsed, backlog.holds(read));
    synchronized (context.getCheckpointLock()) {
      mail.forEach(context::collect);
      read.forEach(progress::advance);
    }
    entries.inc(read.size());
    parkings.inc(bodies.size());
    defects.inc(parsed.stream().filter(Parsed::isDefective).count());
  }

  /** Large reads halve the next one, full small ones double it. */
  private void adapt(List<Entry> read, int streams) {
    long bytes = read.stream().mapToLong(Entry::bytes).sum();
    if (bytes > spec.batchBytes) {
      count = Math.max(1, count / 2);
    } else if (read.size() >= count && bytes * 2 * streams < spec.batchBytes) {
      count = Math.min(spec.batch, count * 2);
    }
  }
}
