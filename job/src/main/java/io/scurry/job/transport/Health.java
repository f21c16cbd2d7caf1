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
 * <p>One that failed gets no calls until it has answered a health check. The checks are spaced out while they fail, up
 * to a second, so that a restarted process is soon found. One that passes its checks and then answers nothing is left
 * alone for longer each time.
 */
final class Health {
  /** Pause after failures in a row, of calls or of a process. */
  static final Backoff FAILURES = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(5));

  private static final Backoff CHECKS = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(1));
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
  private int checks;
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
      checks = 0;
      failures++;
      LOG.warn("{} is down: {}", name, cause);
      checkAfter(FAILURES.millis(failures));
    }
  }

  private void checkAfter(long millis) {
    loop.schedule(this::checkNow, millis, TimeUnit.MILLISECONDS);
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
      checks++;
      checkAfter(CHECKS.millis(checks));
    }
  }

  void close() {
    closed = true;
  }

  @Override
  public String toString() {
    return up ? "up" : "down, " + checks + " checks failed";
  }
}
