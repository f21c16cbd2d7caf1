// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import io.scurry.job.link.RedisLink;
import io.scurry.wire.Messages.Reply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
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
  private static final int CALLS_IN_ONE_TRIP = 16;
  private static final int COUNTS = 5;
  private static final int TIMEOUT_MILLIS = 10_000;

  /** What became of the replies. */
  static final class Outcome {
    long won;
    long replayed;
    long retried;
    long refused;
    long conflicts;
    long dead;
  }

  final Outcome outcome = new Outcome();

  private final EgressSpec spec;
  private final RedisLink link;

  ReplyWriter(EgressSpec spec, String name) {
    this.spec = spec;
    this.link = new RedisLink(spec.redis, name, spec.outage, TIMEOUT_MILLIS, TIMEOUT_MILLIS);
  }

  /** Returns when Redis has acknowledged all of it. */
  void write(Writing writing) throws InterruptedException {
    if (!writing.hashes.isEmpty() || !writing.lines.isEmpty() || !writing.lent.isEmpty()) {
      link.call(jedis -> writeBeside(jedis, writing));
    }
    int together = spec.batch * CALLS_IN_ONE_TRIP;
    for (int from = 0; from < writing.replies.size(); from += together) {
      answer(writing.replies.subList(from, Math.min(from + together, writing.replies.size())), writing.uncounted);
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
    for (String key : writing.lent) {
      responses.add(pipeline.expire(key, spec.markerTtl.toSeconds()));
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

  /** Small calls in one pipeline: Redis is never busy for long, and the trip is paid once. */
  private void answer(List<Reply> replies, Set<Reply> uncounted) throws InterruptedException {
    List<List<Reply>> slices = new ArrayList<>();
    List<ReplyScript> calls = new ArrayList<>();
    for (int from = 0; from < replies.size(); from += spec.batch) {
      List<Reply> slice = replies.subList(from, Math.min(from + spec.batch, replies.size()));
      slices.add(slice);
      calls.add(ReplyScript.of(slice, spec, counted(slice, uncounted)));
    }
    List<Object> answers = link.call(jedis -> evaluate(jedis, calls));
    for (int i = 0; i < answers.size(); i++) {
      if (!(answers.get(i) instanceof JedisDataException)) {
        tally((List<?>) answers.get(i), slices.get(i));
        continue;
      }
      LOG.error("Redis refused a script call, writing its {} replies one by one: {}", slices.get(i).size(),
          ((JedisDataException) answers.get(i)).getMessage());
      for (Reply reply : slices.get(i)) {
        answerAlone(reply);
      }
    }
  }

  private static List<Reply> counted(List<Reply> replies, Set<Reply> uncounted) {
    return uncounted.isEmpty() ? replies
        : replies.stream().filter(reply -> !uncounted.contains(reply)).collect(Collectors.toList());
  }

  /** The answer to each call, or the error that will not pass. */
  private static List<Object> evaluate(Jedis jedis, List<ReplyScript> calls) {
    Pipeline pipeline = jedis.pipelined();
    for (ReplyScript call : calls) {
      pipeline.evalsha(ReplyScript.SHA, call.keys, call.arguments);
    }
    List<Object> answers = pipeline.syncAndReturnAll();
    for (int i = 0; i < answers.size(); i++) {
      if (answers.get(i) instanceof JedisNoScriptException) {
        answers.set(i, evaluate(jedis, calls.get(i)));
      }
      if (answers.get(i) instanceof JedisDataException && RedisLink.passes((JedisDataException) answers.get(i))) {
        throw (JedisDataException) answers.get(i);
      }
    }
    return answers;
  }

  /** Sends the script's text: Redis does not know it (any more). */
  private static Object evaluate(Jedis jedis, ReplyScript call) {
    try {
      return jedis.eval(ReplyScript.TEXT, call.keys, call.arguments);
    } catch (JedisDataException e) {
      return e;
    }
  }

  private void answerAlone(Reply reply) throws InterruptedException {
    ReplyScript alone = ReplyScript.of(List.of(reply), spec, List.of());
    Object answer = link.call(jedis -> evaluate(jedis, List.of(alone))).get(0);
    if (answer instanceof JedisDataException) {
      bury(reply, ((JedisDataException) answer).getMessage());
    } else {
      tally((List<?>) answer, List.of(reply));
    }
  }

  private void tally(List<?> answer, List<Reply> replies) throws InterruptedException {
    outcome.won += (Long) answer.get(0);
    outcome.replayed += (Long) answer.get(1);
    outcome.retried += (Long) answer.get(2);
    outcome.refused += (Long) answer.get(3);
    outcome.conflicts += (Long) answer.get(4);
    for (int i = COUNTS; i + 1 < answer.size(); i += 2) {
      int number = ((Long) answer.get(i)).intValue();
      bury(replies.get(number - 1), text((byte[]) answer.get(i + 1)));
    }
  }

  /** What Redis will not keep is not lost. */
  private void bury(Reply reply, String error) throws InterruptedException {
    outcome.dead++;
    Writing letter = new Writing(spec);
    letter.dead("internal: Redis refused the reply: " + error, 0, reply.getEntry(),
        new LinkedHashMap<>(Map.of("reply", reply.toByteString())));
    link.call(jedis -> writeBeside(jedis, letter));
  }

  /** Writes the records again that Redis has lost. */
  void restore(Map<String, String> records) throws InterruptedException {
    String models = spec.keys.models();
    Map<String, String> missing = new LinkedHashMap<>(records);
    if (!missing.isEmpty()) {
      missing.keySet().removeAll(link.call(jedis -> jedis.hkeys(models)));
    }
    if (!missing.isEmpty()) {
      LOG.warn("Records of models are missing in Redis and are written again: {}", missing.keySet());
      link.call(jedis -> {
        Pipeline pipeline = jedis.pipelined();
        missing.forEach((model, record) -> pipeline.hsetnx(models, model, record));
        return pipeline.syncAndReturnAll();
      });
    }
  }

  /** Deletes parked inputs. */
  void unlink(List<String> keys) throws InterruptedException {
    for (int from = 0; from < keys.size(); from += UNLINKED_AT_ONCE) {
      String[] some = keys.subList(from, Math.min(from + UNLINKED_AT_ONCE, keys.size())).toArray(new String[0]);
      link.call(jedis -> jedis.unlink(some));
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    link.close();
  }
}
