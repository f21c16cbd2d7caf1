// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.wire.Messages.Request;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What may enter the job, and when.
 *
 * <p>While answers come, a model's surplus is refused and nobody waits for it. While none come, because the functions
 * process is away, everything waits in its stream; a few entries each second find out whether it is back.
 */
final class Admission {
  private static final Logger LOG = LoggerFactory.getLogger(Admission.class);
  private static final long LOOK_NANOS = 50_000_000L;
  private static final long BULK_LOOK_NANOS = 10_000_000L;
  private static final long TRICKLE_NANOS = 1_000_000_000L;
  private static final int TRICKLE = 16;

  /** Half of the least that the router lets a version have outstanding: it would refuse the rest of a backlog. */
  private static final long CATCH_UP = 512;

  private final IngressSpec spec;
  private final StreamReader reader;
  private final Collection<String> streams;
  private final InFlight inFlight;
  private final Counter refused;
  private final EntryId start = EntryId.at(System.currentTimeMillis());
  private boolean catchingUp = true;
  private long pace = CATCH_UP;
  private boolean waiting;
  private boolean trickling;
  private long entered = System.nanoTime();
  private long hastened = entered;
  private long taken;
  private long looked;
  private long bulkLook;
  private long lost;

  Admission(IngressSpec spec, StreamReader reader, Collection<String> streams, long mostBytes, MetricGroup metrics) {
    this.spec = spec;
    this.reader = reader;
    this.streams = streams;
    this.inFlight = new InFlight(streams, spec.keys.bulk(), mostBytes, spec.bulkInFlight, System::nanoTime);
    this.inFlight.bound(pace);
    this.refused = metrics.counter("scurryIngressRefused");
    metrics.gauge("scurryIngressInFlight", inFlight::outstanding);
    metrics.gauge("scurryIngressBytesInFlight", inFlight::bytes);
  }

  /** Whether nothing may be read just now. */
  boolean isClosed() throws InterruptedException {
    long now = System.nanoTime();
    if (looked == 0 || waiting || inFlight.isFull() || now - looked > LOOK_NANOS && inFlight.outstanding() > 0) {
      look();
    }
    waiting &= !inFlight.isAnswering();
    boolean closed = waiting || inFlight.isFull();
    trickling = closed && now - entered > TRICKLE_NANOS;
    entered = trickling || !closed ? now : entered;
    if (catchingUp && closed) {
      hasten(now);
    }
    return closed && !trickling;
  }

  /** Whether the pace holds somebody up: hardly any were taken in within a second, or all were answered within it. */
  static boolean isTooSlow(long takenInASecond, long pace) {
    return takenInASecond < pace / 4 || takenInASecond > pace;
  }

  /**
   * Whoever stands behind a slow model's backlog waits for seconds, not for all of it; but for loads they all wait. And
   * what is answered within a second may be twice as much: no version holds more than it finishes in several.
   */
  private void hasten(long now) {
    if (now - hastened > TRICKLE_NANOS) {
      if (isTooSlow(taken, pace) && inFlight.isAnswering()) {
        pace *= 2;
        inFlight.bound(pace);
      }
      hastened = now;
      taken = 0;
    }
  }

  private void look() throws InterruptedException {
    Collection<String> holders = inFlight.holders();
    inFlight.observe(reader.answered(streams, holders), holders);
    looked = System.nanoTime();
    if (inFlight.lost() != lost) {
      lost = inFlight.lost();
      LOG.warn("The counters of answered requests were lost: counting anew.");
    }
  }

  /** The bulk stream is read in large bites only, so that a full window costs the request stream nothing. */
  boolean wantsBulk() throws InterruptedException {
    if (!inFlight.readsBulk() || trickling) {
      return false;
    }
    long bite = Math.max(1, Math.min(spec.bulkInFlight, inFlight.room()) / 4);
    if (inFlight.bulkRoom() < bite && System.nanoTime() - bulkLook > BULK_LOOK_NANOS) {
      look();
      bulkLook = System.nanoTime();
    }
    return inFlight.bulkRoom() >= bite;
  }

  boolean pausesBulk(boolean bulk) {
    return inFlight.readsBulk() && !bulk;
  }

  /** Entries to read of each stream. */
  int count(int wanted, boolean bulk, int streams) {
    long room = trickling ? TRICKLE : Math.max(1, inFlight.room() / streams);
    return (int) Math.min(wanted, bulk ? Math.min(room, inFlight.bulkRoom()) : room);
  }

  /** Counts what enters, and refuses what is a model's surplus. */
  List<Parsed> admit(List<Entry> read, List<Parsed> parsed) throws InterruptedException {
    List<String> models = new ArrayList<>(parsed.size());
    for (int i = 0; i < parsed.size(); i++) {
      models.add(ModelShares.field(read.get(i).stream, parsed.get(i).model()));
    }
    look(models);
    List<Parsed> admitted = new ArrayList<>(parsed.size());
    for (int i = 0; i < parsed.size(); i++) {
      admitted.add(admit(read.get(i).stream, models.get(i), parsed.get(i)));
    }
    return admitted;
  }

  private Parsed admit(String stream, String model, Parsed parsed) {
    if (parsed.answer != null) {
      return parsed;
    }
    long bytes = parsed.bodyBytes();
    long travels = bytes > spec.claimCheckBytes ? 0 : bytes;
    if (parsed.mayBeRefused() && inFlight.isSurplus(model, travels)) {
      if (inFlight.isAnswering()) {
        refused.inc();
        return Parsed.of(Refusals.of(parsed.request, "overloaded", sentence(parsed.request)));
      }
      waiting = true;
    }
    inFlight.emitted(stream, model, travels);
    return parsed;
  }

  private static String sentence(Request.Builder request) {
    return "Model " + request.getModel() + " has as much in flight as the job takes for one model; send it again later.";
  }

  private void look(Collection<String> models) throws InterruptedException {
    Collection<String> strangers = inFlight.strangers(models);
    if (!strangers.isEmpty()) {
      inFlight.observe(reader.answered(streams, strangers), strangers);
    }
  }

  /**
   * What was written before this job began waited for the job, not for its model. It is taken in at a pace at which no
   * model's share is refused; while some are answered, the pace doubles with each second in which it holds the others up,
   * or in which all of it is answered.
   */
  void hasRead(List<Entry> read) {
    taken += read.size();
    if (catchingUp && read.stream().noneMatch(entry -> EntryId.parse(entry.id).compareTo(start) < 0)) {
      catchingUp = false;
      inFlight.unbound();
    }
  }

  @Override
  public String toString() {
    return "<Admission " + inFlight + (catchingUp ? ", catching up" : "") + (waiting ? ", waiting" : "") + ">";
  }
}
