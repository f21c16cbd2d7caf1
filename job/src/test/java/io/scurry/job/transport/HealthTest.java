// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.apache.flink.shaded.netty4.io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;

/** A process that failed is asked again once it has passed a check. */
class HealthTest {
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final ArrayDeque<Runnable[]> checks = new ArrayDeque<>();
  private int recoveries;
  private final Health health = new Health(
      "w", channel.eventLoop(), (ready, notReady) -> checks.add(new Runnable[] {ready, notReady}), () -> recoveries++);

  /** Lets the pause pass and tells how long it was. */
  private long pause() throws InterruptedException {
    long nanos = channel.runScheduledPendingTasks();
    assertTrue(nanos > 0, "no check is planned");
    TimeUnit.NANOSECONDS.sleep(nanos);
    channel.runScheduledPendingTasks();
    assertEquals(1, checks.size());
    return TimeUnit.NANOSECONDS.toMillis(nanos);
  }

  @Test
  void itIsDownUntilACheckPasses() throws Exception {
    health.failed("it died");
    health.failed("and so did another exchange");
    assertFalse(health.isUp());
    assertTrue(pause() <= 50);
    checks.poll()[1].run();
    assertFalse(health.isUp());
    assertTrue(pause() <= 50);
    checks.poll()[0].run();
    assertTrue(health.isUp());
    assertEquals(1, recoveries);
  }

  @Test
  void oneThatLooksHealthyAndFailsAgainIsLeftAloneForLonger() throws Exception {
    long last = 0;
    for (int i = 0; i < 3; i++) {
      health.failed("silent");
      long pause = pause();
      assertTrue(pause > last, pause + " after " + last);
      last = pause;
      checks.poll()[0].run();
    }
    health.worked();
    health.failed("silent");
    assertTrue(pause() <= 50);
  }

  @Test
  void oneThatLeftIsNotChecked() {
    health.close();
    health.failed("gone");
    assertEquals(-1, channel.runScheduledPendingTasks());
  }
}
