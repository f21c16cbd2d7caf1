// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.job.Misconfigured;
import io.scurry.job.link.RedisLink;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.AbstractMap.SimpleEntry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.params.XReadParams;

/** Everything the ingress asks of Redis while it reads; the one blocking connection of a subtask. */
final class StreamReader implements AutoCloseable {
  static final int BLOCK_MILLIS = 1_000;
  private static final int TIMEOUT_MILLIS = 10_000;
  private static final Pattern POLICY = Pattern.compile("maxmemory_policy:([a-z-]+)");
  private static final Logger LOG = LoggerFactory.getLogger(StreamReader.class);

  private final IngressSpec spec;
  private final RedisLink link;

  StreamReader(IngressSpec spec, String name) {
    this.spec = spec;
    this.link = new RedisLink(spec.redis, name, spec.outage, TIMEOUT_MILLIS, BLOCK_MILLIS + TIMEOUT_MILLIS);
  }

  /** How often the connection was made anew. */
  int connections() {
    return link.connections();
  }

  /** Finds out at once, without waiting out anything, whether Redis lets the job in and fits its settings. */
  void probe() throws InterruptedException {
    try (RedisLink once = new RedisLink(spec.redis, "scurry-ingress-probe", Duration.ZERO, 2_000, 2_000)) {
      requireOneSlot(once);
      partitions(once);
    } catch (JedisException e) {
      if (!RedisLink.passes(e) || e.getCause() instanceof SSLException) {
        throw refusal(e);
      }
    }
  }

  /** A script touches several keys, which a cluster serves in one slot only. */
  private void requireOneSlot(RedisLink once) throws InterruptedException {
    String namespace = spec.keys.namespace;
    if (!namespace.matches("[^{]*\\{[^}]+\\}.*") && once.call(StreamReader::isCluster)) {
      throw new Misconfigured("Redis at " + spec.redis + " is a cluster, on which all keys must share one slot: write "
          + "the namespace in braces, SCURRY_NAMESPACE={" + namespace + "}, in every process.");
    }
  }

  private static boolean isCluster(Jedis jedis) {
    try {
      return jedis.info("cluster").contains("cluster_enabled:1");
    } catch (JedisDataException e) {
      if (RedisLink.passes(e)) {
        throw e;
      }
      LOG.debug("Redis does not tell the job whether it is a cluster: {}", e.getMessage());
      return false;
    }
  }

  private Misconfigured refusal(JedisException e) {
    return new Misconfigured(
        "Redis at " + spec.redis + " refuses the job: " + e.getMessage().replaceFirst("\\.$", "") + ".");
  }

  /** The number of partitions: fixed when the namespace is first used, refused when it differs. */
  int partitions() throws InterruptedException {
    try {
      return partitions(link);
    } catch (JedisAccessControlException e) {
      throw refusal(e);
    }
  }

  private int partitions(RedisLink link) throws InterruptedException {
    String wanted = Integer.toString(Math.max(1, spec.partitions));
    String kept = link.call(jedis -> {
      jedis.set(spec.keys.partitions(), wanted, SetParams.setParams().nx());
      return jedis.get(spec.keys.partitions());
    });
    if (!kept.matches("[1-9]\\d{0,3}")) {
      throw new Misconfigured("The key " + spec.keys.partitions() + " holds '" + kept + "', not a partition count.");
    }
    if (spec.partitions > 0 && !kept.equals(wanted)) {
      throw new Misconfigured("The ingress is set to " + wanted + " partitions, but the namespace "
          + spec.keys.namespace + " was created with " + kept + ".");
    }
    return Integer.parseInt(kept);
  }

  /** Writes down how often the job was restarted and when it last began, and says what of Redis is set wrongly. */
  void tellStart(int restarts) throws InterruptedException {
    try {
      String warning = warning(link.call(jedis -> policy(jedis.info("memory"))));
      if (!warning.isEmpty()) {
        LOG.warn(warning);
      }
      Map<String, String> told = Map.of("restarts", Integer.toString(restarts),
          "started", Long.toString(System.currentTimeMillis()), "warning", warning);
      link.call(jedis -> jedis.hset(spec.keys.job(), told));
    } catch (JedisDataException e) {
      LOG.warn("Redis does not let the job look at its settings or write {}: {}", spec.keys.job(), e.getMessage());
    }
  }

  /** Entries are missing: seen from outside even where the job ends for it. */
  void tellGap() throws InterruptedException {
    link.call(jedis -> jedis.hincrBy(spec.keys.job(), "gaps", 1));
  }

  private static String warning(String policy) {
    return policy.equals("noeviction") ? "" : "Redis' maxmemory-policy is " + policy
        + ": it may drop requests, replies and state at any time; set it to noeviction.";
  }

  private static String policy(String info) {
    Matcher found = POLICY.matcher(info);
    return found.find() ? found.group(1) : "noeviction";
  }

  StreamFacts facts(String stream) throws InterruptedException {
    return link.call(jedis -> StreamFacts.of(jedis, stream));
  }

  /** Why reading on from this position would lose entries, or null. */
  String gap(Position position) throws InterruptedException {
    return link.call(jedis -> {
      StreamFacts facts = StreamFacts.of(jedis, position.stream);
      String id = position.id.toString();
      boolean anchored = facts.exists && !jedis.xrange(position.stream, id, id, 1).isEmpty();
      return facts.gap(position, anchored);
    });
  }

  /** What the egress has counted of these streams and models; what it has no counter for is missing. */
  Map<String, Long> answered(Collection<String> streams, Collection<String> models) throws InterruptedException {
    List<String> fields = new ArrayList<>(streams);
    fields.addAll(models);
    String[] names = fields.toArray(new String[0]);
    List<String> counts = link.call(jedis -> jedis.hmget(spec.keys.answered(), names));
    Map<String, Long> answered = new HashMap<>();
    for (int i = 0; i < names.length; i++) {
      if (counts.get(i) != null) {
        answered.put(names[i], Long.parseLong(counts.get(i)));
      }
    }
    return answered;
  }

  /** Entries after these positions, in stream order, waiting for the first; empty when none came in time. */
  List<Entry> read(Collection<Position> positions, int count, int blockMillis) throws InterruptedException {
    XReadParams params = XReadParams.xReadParams().count(count).block(blockMillis);
    List<Map.Entry<byte[], byte[]>> streams = new ArrayList<>(positions.size());
    for (Position position : positions) {
      streams.add(new SimpleEntry<>(bytes(position.stream), bytes(position.id.toString())));
    }
    @SuppressWarnings("unchecked")
    Map.Entry<byte[], byte[]>[] array = streams.toArray(new Map.Entry[0]);
    return entries(link.call(jedis -> jedis.xread(params, array)));
  }

  @SuppressWarnings("unchecked")
  private static List<Entry> entries(List<?> answer) {
    List<Entry> entries = new ArrayList<>();
    for (Object part : answer == null ? List.of() : answer) {
      List<Object> stream = (List<Object>) part;
      String name = Entry.text((byte[]) stream.get(0));
      for (List<Object> entry : (List<List<Object>>) stream.get(1)) {
        List<byte[]> fields = (List<byte[]>) entry.get(1);
        entries.add(new Entry(name, Entry.text((byte[]) entry.get(0)), fields == null ? List.of() : fields));
      }
    }
    return entries;
  }

  /** Parks bodies under their keys, each written once. */
  void park(Map<String, byte[]> bodies) throws InterruptedException {
    SetParams once = SetParams.setParams().nx().ex(spec.payloadTtl.toSeconds());
    link.call(jedis -> {
      Pipeline pipeline = jedis.pipelined();
      bodies.forEach((key, body) -> pipeline.set(bytes(key), body, once));
      pipeline.syncAndReturnAll().stream().filter(RuntimeException.class::isInstance).findFirst().ifPresent(e -> {
        throw (RuntimeException) e;
      });
      return null;
    });
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    link.close();
  }
}
