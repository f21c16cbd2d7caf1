// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.flink.shaded.netty4.io.netty.channel.EventLoop;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a process is worth asking.
 *
 * <p>One that failed gets no calls until it has answered a health check; the checks are spaced out further while they
 * fail, and so are the failures of a process that looks healthy and answers nothing.
 */
final class Health {
  static final Backoff BACKOFF = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(5));
  private static final Logger LOG = LoggerFactory.getLogger(Health.class);

  /** Asks the process whether it is ready. */
  interface Check {
    void begin(Runnable ready, Runnable notReady);
  }

  private final String name;
  private final EventLoop loop;
  private final Check check;
  private final Runnable recovered;
  private int failures;
  private boolean up = true;
  private boolean closed;

  Health(String name, EventLoop loop, Check check, Runnable recovered) {
    this.name = name;
    this.loop = loop;
    this.check = check;
    this.recovered = recovered;
  }

  boolean isUp() {
    return up;
  }

  /** It answered something that only a working process answers. */
  void worked() {
    failures = 0;
  }

  /** It failed; more failures while it is down belong to the same one. */
  void failed(String cause) {
    if (up && !closed) {
      up = false;
      LOG.warn("{} is down: {}", name, cause);
      checkLater();
    }
  }

  private void checkLater() {
    failures++;
    loop.schedule(this::checkNow, BACKOFF.millis(failures), TimeUnit.MILLISECONDS);
  }

  private void checkNow() {
    if (!closed) {
      check.begin(this::ready, this::notReady);
    }
  }

  private void ready() {
    if (!up && !closed) {
      up = true;
      LOG.info("{} is up again", name);
      recovered.run();
    }
  }

  private void notReady() {
    if (!up && !closed) {
      checkLater();
    }
  }

  void close() {
    closed = true;
  }

  @Override
  public String toString() {
    return up ? "up" : "down, " + failures + " failures";
  }
}
