// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLHandshakeException;
import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBuf;
import org.apache.flink.shaded.netty4.io.netty.channel.Channel;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandlerContext;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpContent;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpObject;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpResponse;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpUtil;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.LastHttpContent;
import org.apache.flink.shaded.netty4.io.netty.util.ReferenceCountUtil;

/** One open connection, which carries one exchange at a time. */
final class Connection extends ChannelInboundHandlerAdapter {
  private static final int OK = 200;
  private static final int LENGTH_DIGITS = 32;

  /** Who is told how exchanges end. */
  interface Owner {
    /** The response is complete; the connection can be used again if it is still open. */
    void ended(Connection connection, Exchange exchange, int status);

    /** The connection broke. {@code sent}: the process may have received the whole request. */
    void broken(Connection connection, Exchange exchange, String cause, boolean sent);

    /** The connection closed while nobody used it. */
    void closed(Connection connection);
  }

  private final Owner owner;
  private final byte[] head;
  private Channel channel;
  private Exchange exchange;
  private boolean sent;
  private boolean keepAlive;
  private boolean used;
  private int status;
  private long idleSince = System.nanoTime();

  Connection(Owner owner, byte[] head) {
    this.owner = owner;
    this.head = head;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    channel = context.channel();
  }

  boolean isOpen() {
    return channel.isActive() && exchange == null;
  }

  /** Whether it has carried an exchange before. */
  boolean isUsed() {
    return used;
  }

  Exchange exchange() {
    return exchange;
  }

  boolean isIdleFor(long now, long limit) {
    return exchange == null && now - idleSince > limit;
  }

  /** Sends the calls as one HTTP request, head and frames in one buffer. */
  void start(Exchange started) {
    exchange = started;
    sent = false;
    status = 0;
    int bytes = started.bytes();
    ByteBuf out = channel.alloc().directBuffer(head.length + LENGTH_DIGITS + bytes);
    out.writeBytes(head);
    out.writeCharSequence(bytes + "\r\n\r\n", StandardCharsets.US_ASCII);
    started.write(out, bytes);
    channel.writeAndFlush(out).addListener(written -> {
      if (written.isSuccess()) {
        sent |= exchange == started;
      } else {
        fail("writing failed: " + written.cause().getMessage());
      }
    });
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    try {
      if (exchange != null) {
        read(context, (HttpObject) message);
      }
    } catch (FrameDecoder.BadFrame e) {
      fail("the process sent " + e.getMessage());
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void read(ChannelHandlerContext context, HttpObject message) {
    exchange.touch();
    if (message.decoderResult().isFailure()) {
      fail("the process sent no HTTP: " + message.decoderResult().cause().getMessage());
      return;
    }
    if (message instanceof HttpResponse) {
      status = ((HttpResponse) message).status().code();
      keepAlive = HttpUtil.isKeepAlive((HttpResponse) message);
    }
    if (message instanceof HttpContent && status == OK) {
      exchange.feed(((HttpContent) message).content(), context.alloc());
    }
    if (message instanceof LastHttpContent && exchange != null) {
      end();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (exchange != null) {
      exchange.deliver();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    fail("the connection closed");
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!used && status == 0 && isRefusal(cause)) {
      sent = false;
    }
    fail("the connection broke: " + cause.getMessage());
  }

  /** With TLS 1.3 a process refuses our certificate after our first bytes were sent, and reads none of them. */
  private static boolean isRefusal(Throwable cause) {
    return cause.getCause() instanceof SSLHandshakeException;
  }

  private void end() {
    Exchange ended = exchange;
    exchange = null;
    used = true;
    idleSince = System.nanoTime();
    ended.deliver();
    ended.close();
    if (!keepAlive) {
      channel.close();
    }
    owner.ended(this, ended, status);
  }

  /** Gives the exchange up, if there is one, and closes. */
  void fail(String cause) {
    Exchange failed = exchange;
    exchange = null;
    channel.close();
    if (failed == null) {
      owner.closed(this);
      return;
    }
    failed.deliver();
    failed.close();
    owner.broken(this, failed, cause, sent);
  }

  /** Closes it; whatever it carries is forgotten. */
  void close() {
    if (exchange != null) {
      exchange.close();
      exchange = null;
    }
    channel.close();
  }
}
