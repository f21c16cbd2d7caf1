// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import com.google.protobuf.MessageLite;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;

/** A process that speaks coalesced HTTP over plain sockets and behaves, or misbehaves, as a test wants. */
final class FakeWorker implements AutoCloseable {

  /** What a worker does with an exchange; runs on a thread of the connection. */
  interface Behaviour {
    void serve(Received exchange) throws Exception;
  }

  /** Answers every call in order. */
  static final Behaviour ANSWER_ALL = exchange -> {
    exchange.answerAll();
    exchange.end();
  };

  final List<Received> exchanges = new CopyOnWriteArrayList<>();
  private final ServerSocket server;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile Behaviour behaviour;
  volatile int readyStatus = 200;

  FakeWorker(Behaviour behaviour) throws IOException {
    this(0, behaviour);
  }

  FakeWorker(int port, Behaviour behaviour) throws IOException {
    this(port, new ServerSocket(), behaviour);
  }

  /** Over a server socket that is not bound yet, which may be an encrypting one. */
  FakeWorker(int port, ServerSocket server, Behaviour behaviour) throws IOException {
    this.behaviour = behaviour;
    this.server = server;
    server.setReuseAddress(true);
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 512);
    daemon(this::accept);
  }

  /** A port on which nobody listens. */
  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  String url() {
    return "http://127.0.0.1:" + port();
  }

  int port() {
    return server.getLocalPort();
  }

  void behave(Behaviour other) {
    behaviour = other;
  }

  /** Every call received so far. */
  List<String> ids() {
    List<String> ids = new ArrayList<>();
    exchanges.forEach(exchange -> ids.addAll(exchange.ids()));
    return ids;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        socket.setTcpNoDelay(true);
        sockets.add(socket);
        daemon(() -> converse(socket));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void converse(Socket socket) {
    try {
      DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      for (String line = line(in); line != null; line = line(in)) {
        int length = 0;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
          if (header.toLowerCase().startsWith("content-length:")) {
            length = Integer.parseInt(header.substring(15).trim());
          }
        }
        byte[] body = in.readNBytes(length);
        if (line.startsWith("GET /readyz ")) {
          out.write(("HTTP/1.1 " + readyStatus + " X\r\nContent-Length: 0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
          continue;
        }
        Received received = new Received(line, body, socket, out);
        exchanges.add(received);
        behaviour.serve(received);
      }
    } catch (Exception e) {
      // The connection is gone, which is what many tests want.
    } finally {
      close(socket);
    }
  }

  private static String line(DataInputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        return null;
      }
      line.append((char) next);
    }
    return line.toString().trim();
  }

  private static void daemon(Runnable work) {
    Thread thread = new Thread(work, "fake-worker");
    thread.setDaemon(true);
    thread.start();
  }

  private static void reset(Socket socket) throws IOException {
    try {
      socket.setSoLinger(true, 0);
    } catch (SocketException e) {
      // Its own thread has just closed it.
    }
    socket.close();
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As kill -9: nobody listens, and every connection breaks. */
  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      if (!socket.isClosed()) {
        reset(socket);
      }
    }
  }

  /** One exchange as it arrived, and the pen to answer it with; its methods may be called from any thread. */
  static final class Received {
    final String requestLine;
    final List<ToFunction> calls = new ArrayList<>();
    private final Socket socket;
    private final DataOutputStream out;
    private boolean begun;

    private Received(String requestLine, byte[] body, Socket socket, DataOutputStream out) throws IOException {
      this.requestLine = requestLine;
      this.socket = socket;
      this.out = out;
      ByteBuffer buffer = ByteBuffer.wrap(body);
      while (buffer.hasRemaining()) {
        byte[] call = new byte[buffer.getInt()];
        buffer.get(call);
        calls.add(ToFunction.parseFrom(call));
      }
    }

    List<String> ids() {
      List<String> ids = new ArrayList<>();
      calls.forEach(call -> ids.add(call.getInvocation().getTarget().getId()));
      return ids;
    }

    void answerAll() throws IOException {
      for (int i = 0; i < calls.size(); i++) {
        answer(i);
      }
    }

    /** Answers with the call's own id, so that a test can tell whose answer it is. */
    void answer(int index) throws IOException {
      frame(index, Frames.ANSWER, Requests.answer(ids().get(index)));
    }

    void heartbeat() throws IOException {
      frame(-1, Frames.HEARTBEAT, FromFunction.getDefaultInstance());
    }

    void fail(int index, String sentence) throws IOException {
      frame(index, Frames.FAILED, sentence.getBytes(StandardCharsets.UTF_8));
    }

    void refuse(int index) throws IOException {
      frame(index, Frames.DRAINING, new byte[0]);
    }

    private void frame(int index, int kind, MessageLite payload) throws IOException {
      frame(index, kind, payload.toByteArray());
    }

    synchronized void frame(int index, int kind, byte[] payload) throws IOException {
      begin();
      ByteBuffer frame = ByteBuffer.allocate(Frames.ANSWER_HEAD + payload.length);
      frame.putInt(payload.length).putInt(index).put((byte) kind).put(payload);
      out.write((Integer.toHexString(frame.capacity()) + "\r\n").getBytes(StandardCharsets.US_ASCII));
      out.write(frame.array());
      out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
      out.flush();
    }

    synchronized void end() throws IOException {
      begin();
      out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      out.flush();
    }

    /** Answers the whole exchange with a status and nothing else. */
    synchronized void status(int code) throws IOException {
      out.write(("HTTP/1.1 " + code + " X\r\nContent-Length: 0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      out.flush();
    }

    /** Breaks the connection. */
    void hangUp() throws IOException {
      socket.close();
    }

    private void begin() throws IOException {
      if (!begun) {
        begun = true;
        out.write(("HTTP/1.1 200 OK\r\nContent-Type: " + Frames.CONTENT_TYPE
            + "\r\nTransfer-Encoding: chunked\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      }
    }
  }
}
