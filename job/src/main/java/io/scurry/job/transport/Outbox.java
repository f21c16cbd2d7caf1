// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.apache.flink.shaded.netty4.io.netty.channel.EventLoop;

/** The calls that wait for one process, and when they leave over which connection. */
final class Outbox {
  private final EventLoop loop;
  private final Connections connections;
  private final Waiting waiting;
  private final Window window;
  private final BiConsumer<Connection, List<Call>> begin;
  private boolean flushing;
  private boolean timed;

  Outbox(EventLoop loop, TransportSettings settings, Connections connections,
      BiConsumer<Connection, List<Call>> begin) {
    this.loop = loop;
    this.connections = connections;
    this.begin = begin;
    this.waiting = new Waiting(settings.maxCalls, settings.maxBytes);
    this.window = new Window(settings.window, settings.late.toNanos());
  }

  /** Takes a call, to leave at the end of this turn of the event loop with all that come in the same turn. */
  void add(Call call) {
    waiting.add(call);
    flushSoon();
  }

  void flushSoon() {
    if (!flushing) {
      flushing = true;
      loop.execute(this::flush);
    }
  }

  private void flush() {
    flushing = false;
    long now = System.nanoTime();
    int room = window.room(now);
    int lacking = 0;
    while (lacking == 0 && waiting.apart() > 0) {
      lacking = begin(waiting.apart(), waiting::takeApart);
    }
    while (lacking == 0 && waiting.hasTogether() && room > 0) {
      lacking = begin(1, waiting::takeTogether);
      room--;
    }
    connections.open(lacking);
    if (lacking == 0 && waiting.hasTogether()) {
      flushWhenLate(now);
    }
  }

  /** Begins an exchange of these calls; when no connection is idle, tells how many are wanted. */
  private int begin(int wanted, Supplier<List<Call>> calls) {
    Connection connection = connections.poll();
    if (connection == null) {
      return wanted;
    }
    begin.accept(connection, calls.get());
    return 0;
  }

  private void flushWhenLate(long now) {
    if (!timed) {
      timed = true;
      loop.schedule(() -> {
        timed = false;
        flush();
      }, window.untilLate(now), TimeUnit.NANOSECONDS);
    }
  }

  /** This exchange holds up the next. */
  void holdUp(Exchange exchange) {
    window.add(exchange);
  }

  void ended(Exchange exchange) {
    window.remove(exchange);
  }

  /** Takes all that wait. */
  List<Call> drain() {
    return waiting.drain();
  }

  @Override
  public String toString() {
    return waiting + ", " + window;
  }
}
