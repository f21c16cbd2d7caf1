// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.apache.flink.shaded.netty4.io.netty.bootstrap.Bootstrap;
import org.apache.flink.shaded.netty4.io.netty.buffer.Unpooled;
import org.apache.flink.shaded.netty4.io.netty.channel.Channel;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandlerContext;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpResponse;
import org.apache.flink.shaded.netty4.io.netty.util.ReferenceCountUtil;

/**
 * Asks a process once, over a connection of its own, whether it is ready.
 *
 * <p>Any answer but a 5xx will do, so that an endpoint without health checks passes.
 */
final class ReadyCheck extends ChannelInboundHandlerAdapter {
  private static final int SERVER_ERROR = 500;

  private final byte[] request;
  private final Runnable ready;
  private final Runnable notReady;
  private boolean decided;

  private ReadyCheck(String path, String host, Runnable ready, Runnable notReady) {
    this.request = ("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
        .getBytes(StandardCharsets.US_ASCII);
    this.ready = ready;
    this.notReady = notReady;
  }

  /** Begins a check that ends after this many milliseconds at the latest. */
  static void begin(Channels channels, String path, String host, long millis, Runnable ready, Runnable notReady) {
    ReadyCheck check = new ReadyCheck(path, host, ready, notReady);
    Bootstrap bootstrap = channels.bootstrap(check);
    Channel channel = bootstrap.connect().addListener(connect -> {
      if (!connect.isSuccess()) {
        check.decide(false);
      }
    }).channel();
    channel.eventLoop().schedule(() -> {
      check.decide(false);
      channel.close();
    }, millis, TimeUnit.MILLISECONDS);
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    context.writeAndFlush(Unpooled.wrappedBuffer(request));
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof HttpResponse) {
      HttpResponse response = (HttpResponse) message;
      decide(response.decoderResult().isSuccess() && response.status().code() < SERVER_ERROR);
      context.close();
    }
    ReferenceCountUtil.release(message);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    decide(false);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    decide(false);
    context.close();
  }

  private void decide(boolean isReady) {
    if (!decided) {
      decided = true;
      (isReady ? ready : notReady).run();
    }
  }
}
