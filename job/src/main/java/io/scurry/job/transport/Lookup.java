// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import org.apache.flink.shaded.netty4.io.netty.resolver.dns.DnsNameResolver;
import org.apache.flink.shaded.netty4.io.netty.resolver.dns.DnsNameResolverBuilder;
import org.apache.flink.shaded.netty4.io.netty.util.NetUtil;
import org.apache.flink.shaded.netty4.io.netty.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks host names up on the event loop, without a thread of its own.
 *
 * <p>Java's own lookup blocks and remembers addresses for half a minute, in which a Service's pods may all have changed.
 */
class Lookup {
  private static final Logger LOG = LoggerFactory.getLogger(Lookup.class);
  private static final int REMEMBERED_SECONDS = 1;
  private static final long LIMIT_MILLIS = 3000;

  private final Loop loop;
  private DnsNameResolver resolver;

  Lookup(Loop loop) {
    this.loop = loop;
  }

  /** The address that this text spells out, or null when it is a name. */
  static InetAddress literal(String host) {
    String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    byte[] bytes = NetUtil.createByteArrayFromIpAddressString(bare);
    try {
      return bytes == null ? null : InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e); // its length is right
    }
  }

  /** Hands on all addresses of a name, in a fixed order; none when it cannot be looked up now. */
  void find(String host, Consumer<List<InetAddress>> found) {
    if (resolver == null) {
      resolver = new DnsNameResolverBuilder(loop.eventLoop())
          .channelType(loop.datagrams())
          .ttl(0, REMEMBERED_SECONDS)
          .negativeTtl(0)
          .queryTimeoutMillis(LIMIT_MILLIS)
          .build();
    }
    resolver.resolveAll(host).addListener((Future<List<InetAddress>> answer) -> {
      if (!answer.isSuccess()) {
        LOG.warn("Cannot look up {}: {}", host, answer.cause().getMessage());
      }
      List<InetAddress> addresses = answer.isSuccess() ? new ArrayList<>(answer.getNow()) : new ArrayList<>();
      addresses.sort(Comparator.comparing(InetAddress::getHostAddress));
      found.accept(addresses);
    });
  }

  void close() {
    if (resolver != null) {
      resolver.close();
    }
  }
}
