// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisMovedDataException;
import redis.clients.jedis.exceptions.JedisRedirectionException;

/**
 * One connection to Redis that waits out what passes: lost connections, fail-over, loading, full memory.
 *
 * <p>A call is repeated with back-off (50 ms … 5 s) until it succeeds or Redis has been out for longer than allowed.
 * One thread calls; any thread may {@link #close()}, which ends a call that waits.
 */
public final class RedisLink implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RedisLink.class);
  private static final List<String> PASSING =
      List.of(
          "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS", "MISCONF", "BUSY ", "OOM ",
          "UNBLOCKED ", "max number of clients");

  private static final int MOST_MOVES = 5;

  private final RedisAddress address;
  private final String name;
  private final Duration outage;
  private final int timeout;
  private final int blocking;

  private volatile Jedis jedis;
  private volatile LinkSocket socket;
  private volatile boolean closed;
  /** When the command began that is not answered yet; 0: none. */
  private volatile long began;
  /** Where MOVED sent us; null: where the address says, or its Sentinels. */
  private HostAndPort node;
  private final Sentinels sentinels;
  private int connections;

  public RedisLink(RedisAddress address, String name, Duration outage, int timeout, int blocking) {
    this.address = address;
    this.name = name;
    this.outage = outage;
    this.timeout = timeout;
    this.blocking = blocking;
    this.sentinels = new Sentinels(address);
    Watch.add(this);
  }

  /** How often this link was connected: it grows when a call had to connect again. */
  public int connections() {
    return connections;
  }

  public <T> T call(Function<Jedis, T> action) throws InterruptedException {
    long since = 0;
    for (int attempt = 0; ; attempt++) {
      try {
        began = System.nanoTime() | 1;
        T value = action.apply(connected());
        if (since != 0) {
          LOG.info("Redis answers {} again after {} ms.", name, (System.nanoTime() - since) / 1_000_000);
        }
        return value;
      } catch (JedisException e) {
        requireOpen();
        if (!followed(e, attempt)) {
          since = since == 0 ? System.nanoTime() : since;
          requirePassing(e, since);
          prepareRetry(e, attempt);
        }
      } finally {
        began = 0;
      }
    }
  }

  /** Bytes may trickle in for ever without being an answer: the age of the command decides, not the last byte. */
  void giveUpWhatIsOlderThanAllowed(long now) {
    long since = began;
    if (since != 0 && now - since > TimeUnit.MILLISECONDS.toNanos(timeout + blocking)) {
      LOG.warn("Redis at {} has owed {} an answer for {} ms: the connection is given up.", address, name,
          TimeUnit.NANOSECONDS.toMillis(now - since));
      began = 0;
      LinkSocket open = socket;
      if (open != null) {
        open.close();
      }
    }
  }

  /** Goes to the node of a Redis Cluster that holds our keys: all share one slot. */
  private boolean followed(JedisException e, int attempt) {
    if (!(e instanceof JedisMovedDataException) || attempt >= MOST_MOVES) {
      return false;
    }
    disconnect();
    node = ((JedisMovedDataException) e).getTargetNode();
    LOG.info("Redis sent {} to {}.", name, node);
    return true;
  }

  private void requirePassing(JedisException e, long since) {
    if (!passes(e)) {
      throw e;
    }
    Duration gone = Duration.ofNanos(System.nanoTime() - since);
    if (gone.compareTo(outage) >= 0) {
      throw new JedisConnectionException(
          String.format("Redis at %s has not served %s for %d s: %s", address, name, gone.toSeconds(), e.getMessage()),
          e);
    }
  }

  private void prepareRetry(JedisException e, int attempt) throws InterruptedException {
    began = 0;
    if (attempt == 0 || attempt % 10 == 9) {
      LOG.warn("Redis at {} does not serve {}: {}", address, name, e.getMessage());
    }
    disconnect();
    node = null;
    Thread.sleep(backoff(attempt));
  }

  public static long backoff(int attempt) {
    return Math.min(5_000, 50L << Math.min(attempt, 7));
  }

  /** Whether waiting may help. */
  public static boolean passes(JedisException e) {
    if (e instanceof JedisConnectionException || e instanceof JedisRedirectionException) {
      return true;
    }
    String message = String.valueOf(e.getMessage());
    return PASSING.stream().anyMatch(message::contains);
  }

  private Jedis connected() {
    requireOpen();
    Jedis current = jedis;
    if (current == null) {
      DefaultJedisClientConfig config = address.client(name, timeout, blocking);
      socket = new LinkSocket(node == null ? sentinels.master(name) : node, config);
      current = new Jedis(socket, config);
      jedis = current;
      connections++;
      requireOpen();
    }
    return current;
  }

  private void requireOpen() {
    if (closed) {
      disconnect();
      throw new IllegalStateException("The connection of " + name + " to Redis was closed.");
    }
  }

  private void disconnect() {
    LinkSocket open = socket;
    if (open != null) {
      open.close();
    }
    Jedis current = jedis;
    jedis = null;
    if (current != null) {
      try {
        current.disconnect();
      } catch (JedisException e) {
        LOG.debug("A lost connection could not be closed.", e);
      }
    }
  }

  public boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    closed = true;
    Watch.remove(this);
    disconnect();
  }
}
