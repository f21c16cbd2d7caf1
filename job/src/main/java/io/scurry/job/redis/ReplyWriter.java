// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.redis;

import io.scurry.wire.Messages.Reply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisNoScriptException;
import redis.clients.jedis.params.XAddParams;

/** Writes what egress messages ask for: one round trip for everything, one script call for many replies. */
final class ReplyWriter implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ReplyWriter.class);
  private static final int UNLINKED_AT_ONCE = 512;

  /** What became of the replies. */
  static final class Outcome {
    long won;
    long replayed;
    long retried;
    long refused;
    long dead;
  }

  final Outcome outcome = new Outcome();

  private final EgressSpec spec;
  private final RedisLink link;

  ReplyWriter(EgressSpec spec, String name) {
    this.spec = spec;
    this.link = new RedisLink(spec.redis, name, spec.outage, 30_000, 30_000);
  }

  /** Returns when Redis has acknowledged all of it. */
  void write(Writing writing) throws InterruptedException {
    if (!writing.hashes.isEmpty() || !writing.lines.isEmpty()) {
      link.call(jedis -> writeBeside(jedis, writing));
    }
    for (int from = 0; from < writing.replies.size(); from += spec.batch) {
      List<Reply> replies = writing.replies.subList(from, Math.min(from + spec.batch, writing.replies.size()));
      answer(replies);
    }
  }

  private Void writeBeside(Jedis jedis, Writing writing) {
    Pipeline pipeline = jedis.pipelined();
    List<Response<?>> responses = new ArrayList<>();
    for (Writing.Field field : writing.hashes) {
      responses.add(field.value == null
          ? pipeline.hdel(bytes(field.key), bytes(field.field))
          : pipeline.hset(bytes(field.key), bytes(field.field), field.value));
    }
    for (Writing.Line line : writing.lines) {
      XAddParams params = XAddParams.xAddParams().maxLen(line.length).approximateTrimming();
      responses.add(pipeline.xadd(bytes(line.stream), params, line.fields));
    }
    pipeline.sync();
    responses.forEach(ReplyWriter::acknowledge);
    return null;
  }

  /** What may pass is thrown, so that the link tries again; the rest must not stop the job. */
  private static void acknowledge(Response<?> response) {
    try {
      response.get();
    } catch (JedisDataException e) {
      if (RedisLink.passes(e)) {
        throw e;
      }
      LOG.error("Redis refused a view, an audit line or a dead letter: {}", e.getMessage());
    }
  }

  private void answer(List<Reply> replies) throws InterruptedException {
    try {
      call(ReplyScript.of(replies, spec, true));
    } catch (JedisDataException e) {
      LOG.error("Redis refused a script call for {} replies, writing each alone: {}", replies.size(), e.getMessage());
      for (Reply reply : replies) {
        answerAlone(reply);
      }
    }
  }

  private void answerAlone(Reply reply) throws InterruptedException {
    try {
      call(ReplyScript.of(List.of(reply), spec, false));
    } catch (JedisDataException e) {
      outcome.dead++;
      Writing letter = new Writing(spec);
      letter.dead("internal: Redis refused the reply: " + e.getMessage(), 0, reply.getEntry(),
          new LinkedHashMap<>(Map.of("reply", reply.toByteString())));
      link.call(jedis -> writeBeside(jedis, letter));
    }
  }

  private void call(ReplyScript script) throws InterruptedException {
    List<?> counts = link.call(jedis -> {
      try {
        return (List<?>) jedis.evalsha(ReplyScript.SHA, script.keys, script.arguments);
      } catch (JedisNoScriptException e) {
        return (List<?>) jedis.eval(ReplyScript.TEXT, script.keys, script.arguments);
      }
    });
    outcome.won += (Long) counts.get(0);
    outcome.replayed += (Long) counts.get(1);
    outcome.retried += (Long) counts.get(2);
    outcome.refused += (Long) counts.get(3);
  }

  /** Deletes parked inputs. */
  void unlink(List<String> keys) throws InterruptedException {
    for (int from = 0; from < keys.size(); from += UNLINKED_AT_ONCE) {
      String[] some = keys.subList(from, Math.min(from + UNLINKED_AT_ONCE, keys.size())).toArray(new String[0]);
      link.call(jedis -> jedis.unlink(some));
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    link.close();
  }
}
