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
  private static final long BULK_LOOK_NANOS = 10_000_000L;

  /** Half of the least that the router lets a version have outstanding: it would refuse the rest of a backlog. */
  private static final long CATCH_UP = 512;

  private final IngressSpec spec;
  private final StreamReader reader;
  private final Progress progress;
  private final EntryParser parser;
  private final InFlight inFlight;
  private final Backlog backlog;
  private final Counter entries;
  private final Counter defects;
  private final Counter parkings;
  private final EntryId start = EntryId.at(System.currentTimeMillis());
  private final long limit;
  private boolean catchingUp = true;
  private int count;
  private int connections;
  private boolean observed;
  private long bulkLook;
  private long rebased;

  ReadLoop(
      IngressSpec spec, StreamReader reader, Progress progress, Backlog backlog, long limit, MetricGroup metrics) {
    this.backlog = backlog;
    this.spec = spec;
    this.reader = reader;
    this.progress = progress;
    this.parser = new EntryParser(spec.keys, spec.separateRegistry);
    this.limit = limit;
    this.inFlight =
        new InFlight(progress.streams(), spec.keys.bulk(), limit, Math.min(limit, spec.bulkInFlight), System::nanoTime);
    this.entries = metrics.counter("scurryIngressEntries");
    this.defects = metrics.counter("scurryIngressDefects");
    this.parkings = metrics.counter("scurryIngressParked");
    metrics.gauge("scurryIngressInFlight", inFlight::outstanding);
    this.inFlight.bound(Math.min(limit, CATCH_UP));
    this.count = Math.min(64, spec.batch);
    this.connections = reader.connections();
  }

  void turn(SourceContext<Mail> context) throws InterruptedException {
    if (progress.streams().isEmpty()) {
      Thread.sleep(200);
      return;
    }
    if (!observed || inFlight.room() < count) {
      observe();
    }
    if (inFlight.room() == 0) {
      Thread.sleep(1);
      return;
    }
    boolean bulk = wantsBulk();
    List<Position> from = bulk ? progress.positions() : progress.positionsWithout(spec.keys.bulk());
    if (from.isEmpty()) {
      Thread.sleep(PAUSED_BLOCK_MILLIS);
      return;
    }
    boolean bulkPaused = inFlight.readsBulk() && !bulk;
    List<Entry> read =
        reader.read(from, room(bulk, from.size()), bulkPaused ? PAUSED_BLOCK_MILLIS : StreamReader.BLOCK_MILLIS);
    stepBackAfterLoss(context);
    if (!read.isEmpty()) {
      emit(context, read);
      adapt(read, from.size());
    }
    catchUp(read);
  }

  /**
   * What was written before this loop began waited for the job, not for its model. It is taken in at a pace at which no
   * model's share is refused, whatever it costs the others: a backlog is finite, and they have one, too.
   */
  private void catchUp(List<Entry> read) {
    if (catchingUp && read.stream().noneMatch(entry -> EntryId.parse(entry.id).compareTo(start) < 0)) {
      catchingUp = false;
      inFlight.bound(limit);
    }
  }

  private void observe() throws InterruptedException {
    inFlight.observe(reader.answered(progress.streams()));
    observed = true;
    if (inFlight.rebased() != rebased) {
      rebased = inFlight.rebased();
      LOG.warn("No reply for 30 s while the bound on requests in flight was reached: counting anew.");
    }
  }

  /** The bulk stream is read in large bites only, so that a full window costs the request stream nothing. */
  private boolean wantsBulk() throws InterruptedException {
    if (!inFlight.readsBulk()) {
      return false;
    }
    long bite = Math.max(1, Math.min(spec.bulkInFlight, inFlight.room()) / 4);
    if (inFlight.bulkRoom() < bite && System.nanoTime() - bulkLook > BULK_LOOK_NANOS) {
      observe();
      bulkLook = System.nanoTime();
    }
    return inFlight.bulkRoom() >= bite;
  }

  private int room(boolean bulk, int streams) {
    long room = Math.max(1, inFlight.room() / streams);
    return (int) Math.min(count, bulk ? Math.min(room, inFlight.bulkRoom()) : room);
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
    Map<String, byte[]> bodies = Parking.take(parsed, spec.claimCheckBytes, spec.keys);
    if (!bodies.isEmpty()) {
      reader.park(bodies);
    }
    Collection<Mail> mail = GroupByModel.group(parsed, backlog.holds(read));
    synchronized (context.getCheckpointLock()) {
      mail.forEach(context::collect);
      read.forEach(progress::advance);
    }
    read.forEach(entry -> inFlight.emitted(entry.stream, 1));
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
