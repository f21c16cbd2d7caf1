// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import java.io.IOException;
import java.net.Socket;
import redis.clients.jedis.DefaultJedisSocketFactory;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.JedisSocketFactory;

/** Makes a connection's socket and can close it from any thread, without flushing to a Redis that does not read. */
final class LinkSocket implements JedisSocketFactory {
  private final JedisSocketFactory sockets;
  private volatile Socket socket;

  LinkSocket(HostAndPort node, JedisClientConfig config) {
    sockets = new DefaultJedisSocketFactory(node, config);
  }

  @Override
  public Socket createSocket() {
    socket = sockets.createSocket();
    return socket;
  }

  void close() {
    Socket current = socket;
    if (current != null) {
      try {
        current.close();
      } catch (IOException e) {
        // It is closed as far as we can close it.
      }
    }
  }
}
