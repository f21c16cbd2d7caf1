// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** A Redis of its own for a test, from the binary that {@code SCURRY_TEST_REDIS_SERVER} names. */
public final class RedisServer implements AutoCloseable {
  private static final String SKIPPED =
      "Tests against a real Redis are skipped: SCURRY_TEST_REDIS_SERVER does not name a redis-server.";
  private static boolean told;

  public final int port;
  private final Path directory;
  private final List<String> command = new ArrayList<>();
  private Process process;

  private RedisServer(String binary, Path directory, String... options) throws Exception {
    this.directory = directory;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    command.addAll(List.of(binary, "--port", Integer.toString(port), "--bind", "127.0.0.1", "--save", "",
        "--appendonly", "yes", "--appendfsync", "always", "--dir", directory.toString()));
    command.addAll(List.of(options));
    start();
  }

  /** Starts one, or skips the test and says why. */
  public static RedisServer start(Path directory, String... options) throws Exception {
    String binary = System.getenv("SCURRY_TEST_REDIS_SERVER");
    boolean given = binary != null && new File(binary).canExecute();
    if (!given && !told) {
      told = true;
      System.err.println(SKIPPED);
    }
    Assumptions.assumeTrue(given, SKIPPED);
    return new RedisServer(binary, directory, options);
  }

  public void start() throws Exception {
    process = new ProcessBuilder(command).redirectErrorStream(true)
        .redirectOutput(directory.resolve("redis.log").toFile()).start();
    for (int i = 0; i < 200; i++) {
      try (Jedis jedis = client()) {
        jedis.ping();
        return;
      } catch (JedisException e) {
        Thread.sleep(25);
      }
    }
    throw new IOException("redis-server did not start, see " + directory);
  }

  public void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor(5, TimeUnit.SECONDS);
  }

  public Jedis client() {
    return new Jedis("127.0.0.1", port);
  }

  /** Makes a lone cluster node the owner of every slot. */
  public void addAllSlots() {
    int[] slots = new int[16384];
    Arrays.setAll(slots, slot -> slot);
    try (Jedis jedis = client()) {
      jedis.clusterAddSlots(slots);
    }
  }

  public String url() {
    return "redis://127.0.0.1:" + port + "/0";
  }

  /** Redis 7 and later count entries. */
  public boolean isSeven() {
    try (Jedis jedis = client()) {
      return jedis.info("server").matches("(?s).*redis_version:([7-9]|\\d\\d).*");
    }
  }

  @Override
  public void close() throws InterruptedException {
    kill();
  }
}
