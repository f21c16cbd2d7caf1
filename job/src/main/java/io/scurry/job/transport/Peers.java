// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.concurrent.TimeUnit;
import org.apache.flink.shaded.netty4.io.netty.util.concurrent.ScheduledFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The processes of one endpoint, and which of them a key belongs to.
 *
 * <p>A configured address with one network address is one process, known by its name, so that it keeps its models when
 * it comes back elsewhere; a name with several (a headless Service) is a process for each.
 */
final class Peers {
  private static final Logger LOG = LoggerFactory.getLogger(Peers.class);
  private static final int REMEMBERED = 20_000;

  private final TransportSettings settings;
  private final Loop loop;
  private final Peer.Listener listener;
  private final Lookup lookup;
  private final Encryption encryption;
  private final Map<URI, List<InetAddress>> known = new HashMap<>();
  private final Map<String, int[]> ranks = new HashMap<>();
  private final List<Peer> leaving = new ArrayList<>();
  private Peer[] peers = new Peer[0];
  private long[] seeds = new long[0];
  private ScheduledFuture<?> next;
  private boolean closed;

  Peers(TransportSettings settings, Loop loop, Peer.Listener listener, Lookup lookup) {
    this.settings = settings;
    this.loop = loop;
    this.listener = listener;
    this.lookup = lookup;
    this.encryption = settings.isEncrypted() ? Encryption.of(settings) : null;
  }

  /** The process that should run a call with this key, passing over those that are down; null when all are. */
  Peer choose(FunctionKey key) {
    if (peers.length <= 1) {
      return peers.length == 1 && peers[0].isUp() ? peers[0] : null;
    }
    int[] order = ranks.get(key.ranked);
    if (order == null) {
      order = remember(key.ranked);
    }
    for (int i = 0; i < order.length; i++) {
      Peer peer = peers[order[(key.rank + i) % order.length]];
      if (peer.isUp()) {
        return peer;
      }
    }
    return null;
  }

  /** Whether any process is known at all. */
  boolean isKnown() {
    return peers.length > 0;
  }

  /** Every process that is not down. */
  List<Peer> up() {
    return Arrays.stream(peers).filter(Peer::isUp).collect(Collectors.toList());
  }

  private int[] remember(String ranked) {
    if (ranks.size() >= REMEMBERED) {
      ranks.clear();
    }
    int[] order = Rendezvous.rank(ranked, seeds);
    ranks.put(ranked, order);
    return order;
  }

  /** Looks all names up, now and every few seconds. */
  void resolve() {
    if (closed) {
      return;
    }
    boolean changeable = false;
    for (URI uri : settings.addresses) {
      InetAddress literal = Lookup.literal(uri.getHost());
      if (literal != null) {
        known.put(uri, List.of(literal));
      } else {
        changeable = true;
        lookup.find(uri.getHost(), found -> learn(uri, found));
      }
    }
    update();
    if (changeable) {
      next = loop.eventLoop().schedule(this::resolve, settings.resolve.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void learn(URI uri, List<InetAddress> found) {
    if (!closed && !found.isEmpty() && !found.equals(known.put(uri, found))) {
      update();
    }
  }

  private void update() {
    Map<String, Peer> before = new HashMap<>();
    for (Peer peer : peers) {
      before.put(peer.name(), peer);
    }
    Map<String, Peer> now = new LinkedHashMap<>();
    for (URI uri : settings.addresses) {
      List<InetAddress> found = known.getOrDefault(uri, List.of());
      for (InetAddress address : found) {
        String name = (found.size() == 1 ? uri.getHost() : address.getHostAddress()) + ":" + port(uri);
        InetSocketAddress socket = new InetSocketAddress(address, port(uri));
        Peer same = before.get(name);
        now.computeIfAbsent(name, unused -> same != null && same.channels().socket().equals(socket) ? same : peer(name, uri, socket));
      }
    }
    if (!new ArrayList<>(now.values()).equals(List.of(peers))) {
      replace(now);
    }
  }

  private void replace(Map<String, Peer> now) {
    Peer[] before = peers;
    peers = now.values().toArray(new Peer[0]);
    seeds = now.keySet().stream().mapToLong(Rendezvous::hash).toArray();
    ranks.clear();
    LOG.info("Processes: {}", now.keySet());
    for (Peer peer : before) {
      if (!now.containsValue(peer)) {
        leaving.add(peer);
        peer.retire();
      }
    }
    for (Peer peer : peers) {
      listener.recovered(peer);
    }
  }

  private Peer peer(String name, URI uri, InetSocketAddress socket) {
    Channels channels = new Channels(loop, uri, socket, settings, encryption);
    return new Peer(name, uri, channels, settings, loop.eventLoop(), listener);
  }

  private static int port(URI uri) {
    return uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equals("https") ? 443 : 80;
  }

  void sweep(long now, boolean paused) {
    for (Peer peer : peers) {
      peer.sweep(now, paused);
    }
    leaving.forEach(peer -> peer.sweep(now, paused));
    leaving.removeIf(Peers::hasLeft);
  }

  private static boolean hasLeft(Peer peer) {
    if (peer.isIdle()) {
      peer.close();
    }
    return peer.isIdle();
  }

  void close() {
    closed = true;
    if (next != null) {
      next.cancel(false);
    }
    for (Peer peer : peers) {
      peer.close();
    }
    leaving.forEach(Peer::close);
    lookup.close();
  }

  @Override
  public String toString() {
    return List.of(peers).toString();
  }
}
