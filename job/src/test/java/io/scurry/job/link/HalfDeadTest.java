// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** A Redis that takes connections and does not answer is as good as gone. */
@Timeout(30)
class HalfDeadTest {
  private static final int TIMEOUT = 300;

  /** What the server does with the n-th connection. */
  private interface Behaviour {
    void serve(int number, BufferedReader in, OutputStream out) throws Exception;
  }

  /** A Redis of which only the first words are right. */
  private static final class Server implements AutoCloseable {
    final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    final AtomicInteger connections = new AtomicInteger();

    Server(Behaviour behaviour) throws IOException {
      run(() -> {
        while (true) {
          Socket connection = socket.accept();
          int number = connections.incrementAndGet();
          run(() -> behaviour.serve(number,
              new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.US_ASCII)),
              connection.getOutputStream()));
        }
      });
    }

    RedisAddress address() {
      return RedisAddress.parse("redis://127.0.0.1:" + socket.getLocalPort());
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void run(Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (Exception e) {
        // The test is over.
      }
    });
    thread.setDaemon(true);
    thread.start();
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.US_ASCII));
    out.flush();
  }

  /** Answers CLIENT and PING at once, anything else with an endless beginning of an answer. */
  private static void trickle(BufferedReader in, OutputStream out) throws Exception {
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.equals("CLIENT")) {
        write(out, "+OK\r\n");
      } else if (line.equals("PING")) {
        write(out, "+PONG\r\n");
      } else if (line.equals("GET")) {
        write(out, "$100000\r\n");
        while (true) {
          write(out, "x");
          Thread.sleep(TIMEOUT / 6);
        }
      }
    }
  }

  private static void answer(BufferedReader in, OutputStream out) throws Exception {
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.equals("CLIENT")) {
        write(out, "+OK\r\n");
      } else if (line.equals("GET")) {
        write(out, "$1\r\nv\r\n");
      }
    }
  }

  @Test
  void whoTakesConnectionsAndSaysNothingIsAnOutage() throws Exception {
    try (Server server = new Server((number, in, out) -> Thread.sleep(60_000));
        RedisLink link = new RedisLink(server.address(), "test", Duration.ofMillis(500), TIMEOUT, TIMEOUT)) {
      assertThrows(JedisConnectionException.class, () -> link.call(jedis -> jedis.get("k")));
      assertTrue(server.connections.get() > 1, "it tries anew");
    }
  }

  @Test
  void anAnswerThatNeverEndsIsGivenUpForAnotherConnection() throws Exception {
    try (Server server = new Server((number, in, out) -> {
          if (number == 1) {
            trickle(in, out);
          } else {
            answer(in, out);
          }
        });
        RedisLink link = new RedisLink(server.address(), "test", Duration.ofSeconds(20), TIMEOUT, TIMEOUT)) {
      assertEquals("PONG", link.call(jedis -> jedis.ping()));
      assertEquals("v", link.call(jedis -> jedis.get("k")));
      assertEquals(2, link.connections());
    }
  }
}
