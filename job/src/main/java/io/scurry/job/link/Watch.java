// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Looks at the age of every link's unanswered command; one thread, there as long as there is a link. */
final class Watch {
  private static final long PERIOD_MILLIS = 250;
  private static final Set<RedisLink> LINKS = new HashSet<>();
  private static ScheduledExecutorService thread;

  private Watch() {}

  static synchronized void add(RedisLink link) {
    LINKS.add(link);
    if (thread == null) {
      thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread watch = new Thread(task, "scurry-redis-watch");
        watch.setDaemon(true);
        return watch;
      });
      thread.scheduleWithFixedDelay(Watch::look, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  static synchronized void remove(RedisLink link) {
    LINKS.remove(link);
    if (LINKS.isEmpty() && thread != null) {
      thread.shutdownNow();
      thread = null;
    }
  }

  private static void look() {
    links().forEach(link -> link.giveUpWhatIsOlderThanAllowed(System.nanoTime()));
  }

  private static synchronized List<RedisLink> links() {
    return List.copyOf(LINKS);
  }
}
