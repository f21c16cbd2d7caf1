// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import org.apache.flink.shaded.netty4.io.netty.channel.EventLoop;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One process at the other end: the calls that wait for it, and its exchanges in flight. */
final class Peer implements Exchange.Owner, Connection.Owner {
  private static final Logger LOG = LoggerFactory.getLogger(Peer.class);
  private static final int OK = 200;
  private static final int UNKNOWN = 401;

  /** Who decides what becomes of calls. */
  interface Listener {
    void answered(Call call, FromFunction answer);

    /** They never reached a function. */
    void undelivered(Collection<Call> calls, String cause);

    /** It may have reached its function and will not be answered. {@code alone}: nothing else was executing there. */
    void lost(Call call, String cause, boolean alone);

    /** Calls may be placed here again. */
    void recovered(Peer peer);

    Counters counters();
  }

  private final String name;
  private final TransportSettings settings;
  private final Listener listener;
  private final Channels channels;
  private final Health health;
  private final Connections connections;
  private final Outbox outbox;
  private int executing;
  private int loading;

  Peer(String name, URI uri, Channels channels, TransportSettings settings, EventLoop loop, Listener listener) {
    this.name = name;
    this.channels = channels;
    this.settings = settings;
    this.listener = listener;
    String path = uri.getPath() == null ? "" : uri.getPath().replaceAll("/+$", "");
    byte[] head = ("POST " + path + Frames.PATH + " HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\nContent-Type: "
        + Frames.CONTENT_TYPE + "\r\nContent-Length: ").getBytes(StandardCharsets.US_ASCII);
    this.health = new Health(name, loop, (ready, notReady) -> ReadyCheck.begin(
        channels, path + Frames.READY_PATH, uri.getAuthority(), settings.connect.toMillis(), ready, notReady),
        () -> listener.recovered(this));
    this.connections = new Connections(
        channels, settings.connections, () -> new Connection(this, head), this::opened, this::down);
    this.outbox = new Outbox(loop, settings, connections, this::begin);
  }

  String name() {
    return name;
  }

  Channels channels() {
    return channels;
  }

  boolean isUp() {
    return health.isUp();
  }

  /** Whether it has nothing left to answer. */
  boolean isIdle() {
    return executing == 0;
  }

  /** Takes a call, to leave at the end of this turn of the event loop with all that come in the same turn. */
  void add(Call call) {
    outbox.add(call);
  }

  private void begin(Connection connection, List<Call> calls) {
    Exchange exchange = new Exchange(calls, this, settings.maxFrame);
    executing += calls.size();
    loading += calls.get(0).key.load ? 1 : 0;
    if (!calls.get(0).apart) {
      outbox.holdUp(exchange);
    }
    listener.counters().exchange(calls.size());
    connection.start(exchange);
  }

  private void opened() {
    listener.counters().connect();
    outbox.flushSoon();
  }

  private void down(String cause) {
    health.failed(cause);
    listener.undelivered(outbox.drain(), name + ": " + cause);
  }

  @Override
  public void heard() {
    health.worked();
  }

  @Override
  public void answered(Call call, FromFunction answer) {
    finished(call);
    listener.answered(call, answer);
  }

  @Override
  public void failed(Call call, String cause) {
    boolean alone = executing == 1 || call.key.solo && loading == 0;
    finished(call);
    listener.lost(call, name + ": " + cause, alone);
  }

  @Override
  public void refused(Call call, String cause) {
    finished(call);
    down(cause);
    listener.undelivered(List.of(call), name + ": " + cause);
  }

  @Override
  public void ended(Connection connection, Exchange exchange, int status) {
    outbox.ended(exchange);
    connections.release(connection);
    int size = exchange.size();
    List<Call> left = exchange.drain();
    if (!left.isEmpty()) {
      unanswered(left, size, status);
    }
    outbox.flushSoon();
  }

  private void unanswered(List<Call> left, int size, int status) {
    String cause = status == OK ? "the answer ended early" : "HTTP " + status;
    switch (Verdict.of(status, size)) {
      case SPLIT:
        left.forEach(call -> call.apart = true);
        giveBack(left, cause);
        break;
      case MISPLACED:
        LOG.error("{} answers HTTP {} to {}: {}", name, status, Frames.PATH, status == UNKNOWN
            ? "it asks for a certificate, which client_cert and client_key name."
            : "is this address a scurry endpoint?");
        down(cause);
        giveBack(left, cause);
        break;
      case ELSEWHERE:
        down(cause);
        giveBack(left, cause);
        break;
      default:
        lose(left, cause, executing == 1);
    }
  }

  @Override
  public void broken(Connection connection, Exchange exchange, String cause, boolean sent) {
    outbox.ended(exchange);
    connections.forget(connection);
    List<Call> left = exchange.drain();
    // The exchange that dies first says whether it was alone; those that follow it down were not.
    boolean alone = executing == 1 && health.isUp();
    if (sent || !connection.isUsed()) {
      down(cause);
    }
    if (sent) {
      lose(left, cause, alone);
    } else {
      giveBack(left, cause);
    }
    outbox.flushSoon();
  }

  @Override
  public void closed(Connection connection) {
    connections.forget(connection);
  }

  private void finished(Call call) {
    executing--;
    loading -= call.key.load ? 1 : 0;
  }

  private void lose(List<Call> calls, String cause, boolean alone) {
    calls.forEach(this::finished);
    for (Call call : calls) {
      listener.lost(call, name + ": " + cause, alone);
    }
  }

  private void giveBack(List<Call> calls, String cause) {
    calls.forEach(this::finished);
    listener.undelivered(calls, name + ": " + cause);
  }

  /** Looks for exchanges on which nothing comes, and closes connections that nobody needs. */
  void sweep(long now, boolean paused) {
    for (Connection connection : connections.snapshot()) {
      Exchange exchange = connection.exchange();
      if (exchange != null && paused) {
        exchange.touch();
      } else if (exchange != null && exchange.isSilent(now, settings.silence.toNanos())) {
        connection.fail("silent for " + settings.silence.toMillis() + " ms");
      }
    }
    connections.closeIdle(now, settings.idle.toNanos());
  }

  /** It is no longer among the processes: takes no more calls, and finishes those it has. */
  void retire() {
    health.close();
    down("left");
  }

  void close() {
    health.close();
    connections.close();
    outbox.drain();
  }

  @Override
  public String toString() {
    return "<Peer " + name + " " + health + ", " + outbox + ", " + executing + " executing, " + connections + ">";
  }
}
