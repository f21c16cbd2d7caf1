// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The open connections to one process: those in use, and a stack of idle ones. */
final class Connections {
  private final Channels channels;
  private final int limit;
  private final Supplier<Connection> make;
  private final Runnable opened;
  private final Consumer<String> refused;
  private final Set<Connection> all = new HashSet<>();
  private final ArrayDeque<Connection> idle = new ArrayDeque<>();
  private int opening;

  /**
   * Connections over these channels.
   *
   * @param opened a new connection is idle now
   * @param refused a connection could not be made, and why
   */
  Connections(Channels channels, int limit, Supplier<Connection> make, Runnable opened, Consumer<String> refused) {
    this.channels = channels;
    this.limit = limit;
    this.make = make;
    this.opened = opened;
    this.refused = refused;
  }

  /** The idle connection that was used last, or null. */
  Connection poll() {
    Connection connection = idle.pollLast();
    while (connection != null && !connection.isOpen()) {
      connection = idle.pollLast();
    }
    return connection;
  }

  int opening() {
    return opening;
  }

  /** Opens more until this many are being opened or the limit is reached. */
  void open(int wanted) {
    while (opening < wanted && all.size() + opening < limit) {
      opening++;
      Connection connection = make.get();
      channels.bootstrap(connection).connect().addListener(connect -> {
        opening--;
        if (connect.isSuccess()) {
          all.add(connection);
          idle.add(connection);
          opened.run();
        } else {
          refused.accept("no connection to " + channels.socket() + ": " + connect.cause().getMessage());
        }
      });
    }
  }

  /** The connection is free again. */
  void release(Connection connection) {
    if (connection.isOpen()) {
      idle.add(connection);
    } else {
      forget(connection);
    }
  }

  void forget(Connection connection) {
    all.remove(connection);
    idle.remove(connection);
  }

  /** Closes what has been idle for longer than these nanoseconds. */
  void closeIdle(long now, long limitNanos) {
    while (!idle.isEmpty() && idle.peekFirst().isIdleFor(now, limitNanos)) {
      idle.pollFirst().close();
    }
  }

  Iterable<Connection> snapshot() {
    return new ArrayList<>(all);
  }

  void close() {
    snapshot().forEach(Connection::close);
    all.clear();
    idle.clear();
  }

  @Override
  public String toString() {
    return all.size() + " connections, " + idle.size() + " idle";
  }
}
