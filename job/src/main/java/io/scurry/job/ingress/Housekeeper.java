// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.job.link.RedisAddress;
import io.scurry.job.link.RedisLink;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.XTrimParams;

/**
 * Trims streams behind completed checkpoints, mirrors the lag and notes how Redis fares, on a connection and a thread
 * of its own.
 *
 * <p>It never holds up a task: what fails is left for the next checkpoint, and only the newest job waits.
 */
final class Housekeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Housekeeper.class);

  /** A group made once and never read from: tools see the lag of the job by it. */
  static final String GROUP = "scurry-job";

  private final RedisLink link;
  private final AtomicReference<Map<Position, EntryId>> next = new AtomicReference<>();
  private boolean failing;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "scurry-ingress-housekeeper");
        thread.setDaemon(true);
        return thread;
      });

  /** Where the notes are; null: others take them. */
  private final String notes;

  Housekeeper(RedisAddress address, String name, String notes) {
    this.notes = notes;
    link = new RedisLink(address, name, Duration.ZERO, 10_000, 10_000);
  }

  /** For each stream: its position in the completed checkpoint, and the id to trim up to (null: do not). */
  void tidy(Map<Position, EntryId> work) {
    if (next.getAndSet(work) == null) {
      thread.execute(this::run);
    }
  }

  private void run() {
    Map<Position, EntryId> work = next.getAndSet(null);
    try {
      for (Map.Entry<Position, EntryId> stream : work.entrySet()) {
        link.call(jedis -> tidy(jedis, stream.getKey(), stream.getValue()));
      }
      if (notes != null) {
        link.call(this::note);
      }
      failing = false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      if (!link.isClosed() && !failing) {
        LOG.warn("Streams were not trimmed, the next checkpoints try again: {}", e.getMessage());
      }
      failing = true;
    }
  }

  /** When a checkpoint completed last, and how full Redis is: for who looks from outside. */
  private Void note(Jedis jedis) {
    Map<String, String> told = new HashMap<>();
    told.put("checkpoint", Long.toString(System.currentTimeMillis()));
    try {
      String info = jedis.info("memory");
      told.put("memory", RedisMemory.used(info));
      told.put("most_memory", RedisMemory.most(info));
    } catch (JedisDataException e) {
      LOG.debug("Redis does not tell the job of its memory: {}", e.getMessage());
    }
    jedis.hset(notes, told);
    return null;
  }

  private static Void tidy(Jedis jedis, Position position, EntryId keepFrom) {
    StreamFacts facts = StreamFacts.of(jedis, position.stream);
    if (!facts.exists) {
      return null;
    }
    if (keepFrom != null) {
      jedis.xtrim(position.stream, XTrimParams.xTrimParams().minId(keepFrom.toString()).approximateTrimming());
    }
    if (facts.countsEntries()) {
      mirror(jedis, position);
    }
    return null;
  }

  private static void mirror(Jedis jedis, Position position) {
    try {
      command(jedis, "SETID", position);
    } catch (JedisDataException e) {
      if (!String.valueOf(e.getMessage()).startsWith("NOGROUP ")) {
        throw e;
      }
      command(jedis, "CREATE", position);
    }
  }

  private static void command(Jedis jedis, String verb, Position position) {
    jedis.sendCommand(Command.XGROUP, bytes(verb), bytes(position.stream), bytes(GROUP), bytes(position.id.toString()),
        bytes("ENTRIESREAD"), bytes(Long.toString(position.read)));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    link.close();
    thread.shutdownNow();
  }
}
