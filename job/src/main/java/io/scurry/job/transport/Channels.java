// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.net.InetSocketAddress;
import java.net.URI;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.apache.flink.shaded.netty4.io.netty.bootstrap.Bootstrap;
import org.apache.flink.shaded.netty4.io.netty.channel.Channel;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandler;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInitializer;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelOption;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpResponseDecoder;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslHandler;

/**
 * How a connection to one process is laid: its address, encryption when it is https, and HTTP on the way in.
 *
 * <p>On the way out the caller writes whole requests, head and body in one buffer.
 */
final class Channels {
  private static final int MAX_LINE = 4096;
  private static final int MAX_HEAD = 16 * 1024;
  private static final int MAX_PIECE = 1 << 20;

  private final Loop loop;
  private final URI uri;
  private final InetSocketAddress socket;
  private final int connectMillis;
  private final Encryption encryption;

  Channels(Loop loop, URI uri, InetSocketAddress socket, TransportSettings settings, Encryption encryption) {
    this.loop = loop;
    this.uri = uri;
    this.socket = socket;
    this.connectMillis = (int) settings.connect.toMillis();
    this.encryption = uri.getScheme().equals("https") ? encryption : null;
  }

  InetSocketAddress socket() {
    return socket;
  }

  /** What connects to the process, with this handler at the end. */
  Bootstrap bootstrap(ChannelHandler handler) {
    return loop.bootstrap()
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectMillis)
        .remoteAddress(socket)
        .handler(new ChannelInitializer<Channel>() {
          @Override
          protected void initChannel(Channel channel) {
            if (encryption != null) {
              channel.pipeline().addLast(encrypted(channel));
            }
            channel.pipeline().addLast(new HttpResponseDecoder(MAX_LINE, MAX_HEAD, MAX_PIECE), handler);
          }
        });
  }

  private SslHandler encrypted(Channel channel) {
    SslHandler handler = encryption.context().newHandler(channel.alloc(), uri.getHost(), socket.getPort());
    handler.setHandshakeTimeoutMillis(connectMillis);
    SSLEngine engine = handler.engine();
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    engine.setSSLParameters(parameters);
    return handler;
  }
}
