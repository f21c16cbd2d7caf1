// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.shaded.netty4.io.netty.channel.EventLoop;
import org.apache.flink.shaded.netty4.io.netty.util.concurrent.ScheduledFuture;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends each call to its process and decides what becomes of those that come back unanswered.
 *
 * <p>Of a call that was not answered:
 *
 * <ol>
 *   <li>it never arrived (nobody listens, or the process is draining): on to the next rank, which is no failure;
 *   <li>no process can be reached: it waits, and bounces once {@code connect_patience} is over;
 *   <li>it is one of the copies of a call for every process: that process is done with it;
 *   <li>it arrived and was lost, or the process says that it failed: bounced, or asked again after a pause.
 * </ol>
 *
 * <p>The steps of a sequence are asked again although others bounce: as long as their call is in flight, Flink keeps the
 * next ones back, so that none overtakes another.
 *
 * <p>{@link #submit} is for any thread, the rest for the event loop.
 */
final class Dispatcher implements Peer.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);
  private static final int APART_AFTER = 2;
  private static final int STEP_LOSSES = 20;
  private static final long REPORT_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final Counters counters = new Counters();
  private final TransportSettings settings;
  private final EventLoop loop;
  private final Peers peers;
  private final Queue<Call> inbox = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean awake = new AtomicBoolean();
  private final ArrayDeque<Call> stranded = new ArrayDeque<>();
  private final ScheduledFuture<?> sweep;
  private long swept = System.nanoTime();
  private long reported = swept;
  private String trouble = "its address is not known yet";

  Dispatcher(TransportSettings settings, Loop shared) {
    this.settings = settings;
    this.loop = shared.eventLoop();
    this.peers = new Peers(settings, shared, this, new Lookup(shared));
    loop.execute(peers::resolve);
    long period = sweepNanos();
    sweep = loop.scheduleWithFixedDelay(this::sweep, period, period, TimeUnit.NANOSECONDS);
  }

  /** Takes a call and wakes the event loop, once for all that come before it looks. */
  void submit(Call call) {
    inbox.add(call);
    if (!awake.get() && awake.compareAndSet(false, true)) {
      loop.execute(this::drain);
    }
  }

  private void drain() {
    awake.set(false);
    for (Call call = inbox.poll(); call != null; call = inbox.poll()) {
      call.key = FunctionKey.parse(call.id());
      call.apart = call.key.apart();
      place(call);
    }
  }

  private void place(Call call) {
    if (!call.lease.isOpen()) {
      return;
    }
    if (call.key.everywhere && peers.isKnown()) {
      broadcast(call);
      return;
    }
    Peer peer = call.key.everywhere ? null : peers.choose(call.key);
    if (peer != null) {
      peer.add(call);
      return;
    }
    strand(call);
    stranded.add(call);
  }

  /** To every process that is there; one that is down holds nothing that this call could be about. */
  private void broadcast(Call call) {
    List<Peer> up = peers.up();
    if (up.isEmpty()) {
      call.answer.complete(Broadcast.LOST);
    }
    Broadcast broadcast = new Broadcast(call, up.size());
    up.forEach(peer -> peer.add(broadcast.copy()));
  }

  @Override
  public void answered(Call call, FromFunction answer) {
    counters.answer();
    call.metrics.remoteInvocationLatency(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - call.made));
    call.answer.complete(answer);
  }

  @Override
  public void undelivered(Collection<Call> calls, String cause) {
    trouble = cause;
    for (Call call : calls) {
      if (call.copied) {
        call.answer.complete(Broadcast.LOST);
        continue;
      }
      strand(call);
      if (isOutOfPatience(call)) {
        bounce(call, cause, false, false);
      } else {
        place(call);
      }
    }
  }

  @Override
  public void lost(Call call, String cause, boolean alone) {
    call.metrics.remoteInvocationFailures();
    if (call.copied) {
      call.answer.complete(Broadcast.LOST);
      return;
    }
    call.losses++;
    if (settings.bounces() && (!call.key.sequence || call.losses >= STEP_LOSSES)) {
      bounce(call, cause, true, alone);
      return;
    }
    counters.retry();
    if (call.key.sequence) {
      call.askApart();
    }
    call.apart |= call.losses >= APART_AFTER;
    long pause = Health.FAILURES.millis(call.losses);
    LOG.debug("{} is asked again in {} ms: {}", call, pause, cause);
    loop.schedule(() -> place(call), pause, TimeUnit.MILLISECONDS);
  }

  @Override
  public Counters counters() {
    return counters;
  }

  @Override
  public void recovered(Peer peer) {
    for (int waiting = stranded.size(); waiting > 0; waiting--) {
      place(stranded.poll());
    }
  }

  private void bounce(Call call, String cause, boolean executing, boolean alone) {
    counters.bounce();
    LOG.debug("{} bounces: {}", call, cause);
    FromFunction bounce = Bounce.of(call.request, cause, executing, alone);
    call.answer.complete(call.key.sequence ? Steps.lost(call.request, bounce) : bounce);
  }

  private void strand(Call call) {
    if (call.stranded == 0) {
      call.stranded = System.nanoTime();
    }
  }

  private boolean isOutOfPatience(Call call) {
    return settings.bounces() && !call.key.sequence && System.nanoTime() - call.stranded > settings.connectPatience.toNanos();
  }

  /** Looks after silence, idle connections and those who wait. */
  private void sweep() {
    long now = System.nanoTime();
    // After a pause of the whole JVM what was sent meanwhile is still unread: nobody was silent.
    boolean paused = now - swept > 3 * sweepNanos();
    swept = now;
    peers.sweep(now, paused);
    if (LOG.isDebugEnabled() && now - reported > REPORT_NANOS) {
      reported = now;
      LOG.debug("{}", this);
    }
    for (int waiting = stranded.size(); waiting > 0; waiting--) {
      Call call = stranded.poll();
      if (isOutOfPatience(call)) {
        bounce(call, "no worker can be reached: " + trouble, false, false);
      } else if (call.lease.isOpen()) {
        stranded.add(call);
      }
    }
  }

  private long sweepNanos() {
    long shortest = Math.min(settings.silence.toNanos() / 10, settings.connectPatience.toNanos() / 10);
    return Math.max(TimeUnit.MILLISECONDS.toNanos(10), Math.min(shortest, TimeUnit.SECONDS.toNanos(1)));
  }

  void close() {
    LOG.info("Transport closes: {}", this);
    sweep.cancel(false);
    peers.close();
    stranded.clear();
    inbox.clear();
  }

  @Override
  public String toString() {
    return "<Dispatcher " + peers + ", " + stranded.size() + " stranded, " + counters + ">";
  }
}
