// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.flink.shaded.netty4.io.netty.bootstrap.Bootstrap;
import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBufAllocator;
import org.apache.flink.shaded.netty4.io.netty.buffer.PooledByteBufAllocator;
import org.apache.flink.shaded.netty4.io.netty.channel.AdaptiveRecvByteBufAllocator;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelOption;
import org.apache.flink.shaded.netty4.io.netty.channel.EventLoop;
import org.apache.flink.shaded.netty4.io.netty.channel.EventLoopGroup;
import org.apache.flink.shaded.netty4.io.netty.channel.epoll.Epoll;
import org.apache.flink.shaded.netty4.io.netty.channel.epoll.EpollDatagramChannel;
import org.apache.flink.shaded.netty4.io.netty.channel.epoll.EpollEventLoopGroup;
import org.apache.flink.shaded.netty4.io.netty.channel.epoll.EpollSocketChannel;
import org.apache.flink.shaded.netty4.io.netty.channel.nio.NioEventLoopGroup;
import org.apache.flink.shaded.netty4.io.netty.channel.socket.DatagramChannel;
import org.apache.flink.shaded.netty4.io.netty.channel.socket.SocketChannel;
import org.apache.flink.shaded.netty4.io.netty.channel.socket.nio.NioDatagramChannel;
import org.apache.flink.shaded.netty4.io.netty.channel.socket.nio.NioSocketChannel;
import org.apache.flink.shaded.netty4.io.netty.util.concurrent.DefaultThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one event loop thread of this JVM's transport, there as long as a subtask holds a lease.
 *
 * <p>Everything behind it is touched by its thread only and needs no locks.
 */
final class Loop {
  private static final Logger LOG = LoggerFactory.getLogger(Loop.class);
  private static final int PAGE = 8192;
  private static final int CHUNK_DOUBLINGS = 9; // 4 MiB a chunk, against Netty's 16
  private static final int SMALL_CACHE = PooledByteBufAllocator.defaultSmallCacheSize();
  private static final int NORMAL_CACHE = PooledByteBufAllocator.defaultNormalCacheSize();
  private static Loop current;

  private final Set<Lease> leases = new HashSet<>();
  private final Map<TransportSettings, Dispatcher> dispatchers = new HashMap<>();
  private final EventLoopGroup group;
  private final boolean epoll = Epoll.isAvailable();
  private final ByteBufAllocator allocator = new PooledByteBufAllocator(
      true, 0, 1, PAGE, CHUNK_DOUBLINGS, SMALL_CACHE, NORMAL_CACHE, true);

  private Loop() {
    DefaultThreadFactory threads = new DefaultThreadFactory("scurry-transport", true);
    group = epoll ? new EpollEventLoopGroup(1, threads) : new NioEventLoopGroup(1, threads);
    group.next().scheduleWithFixedDelay(this::dropAbandoned, 1, 1, TimeUnit.SECONDS);
  }

  /** A share of the running loop, or of a new one. */
  static synchronized Lease acquire(Thread holder) {
    if (current == null) {
      current = new Loop();
    }
    Lease lease = new Lease(holder, current);
    current.leases.add(lease);
    return lease;
  }

  static synchronized void release(Lease lease) {
    Loop loop = lease.loop();
    if (loop.leases.remove(lease) && loop.leases.isEmpty()) {
      current = null;
      loop.stop();
    }
  }

  /** How many subtasks hold on to the running loop. */
  static synchronized int holders() {
    return current == null ? 0 : current.leases.size();
  }

  Dispatcher dispatcher(TransportSettings settings) {
    synchronized (Loop.class) {
      return dispatchers.computeIfAbsent(settings, wanted -> new Dispatcher(wanted, this));
    }
  }

  EventLoop eventLoop() {
    return group.next();
  }

  boolean isStopped() {
    return group.isTerminated();
  }

  /** How connections are made. */
  Bootstrap bootstrap() {
    Class<? extends SocketChannel> channel = epoll ? EpollSocketChannel.class : NioSocketChannel.class;
    return new Bootstrap()
        .group(group)
        .channel(channel)
        .option(ChannelOption.ALLOCATOR, allocator)
        .option(ChannelOption.RCVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator(1024, 16 * 1024, 512 * 1024))
        .option(ChannelOption.TCP_NODELAY, true)
        .option(ChannelOption.SO_KEEPALIVE, true);
  }

  /** What names are looked up over. */
  Class<? extends DatagramChannel> datagrams() {
    return epoll ? EpollDatagramChannel.class : NioDatagramChannel.class;
  }

  private void dropAbandoned() {
    List<Lease> abandoned = new ArrayList<>();
    synchronized (Loop.class) {
      leases.stream().filter(Lease::isAbandoned).forEach(abandoned::add);
    }
    abandoned.forEach(Lease::close);
  }

  private void stop() {
    List<Dispatcher> all = new ArrayList<>(dispatchers.values());
    LOG.debug("Transport stops: {}", all);
    group.next().execute(() -> all.forEach(Dispatcher::close));
    group.shutdownGracefully(0, 2, TimeUnit.SECONDS);
  }
}
