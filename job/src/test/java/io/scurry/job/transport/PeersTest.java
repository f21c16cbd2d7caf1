// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Names become processes, and changes of a name are followed. */
@Timeout(30)
class PeersTest implements Peer.Listener {
  private final Lease lease = Loop.acquire(Thread.currentThread());
  private final Counters counters = new Counters();
  private volatile List<String> pods = List.of();
  private Peers peers;

  private void start(String addresses) throws Exception {
    ObjectNode properties = new ObjectMapper().createObjectNode().put("addresses", addresses).put("resolve", "20ms");
    Lookup lookup = new Lookup(lease.loop()) {
      @Override
      void find(String host, Consumer<List<InetAddress>> found) {
        List<InetAddress> addresses = new ArrayList<>();
        pods.forEach(pod -> addresses.add(Lookup.literal(pod)));
        found.accept(addresses);
      }
    };
    onLoop(() -> {
      peers = new Peers(TransportSettings.of(properties, URI.create("http://a:1")), lease.loop(), this, lookup);
      peers.resolve();
      return null;
    });
  }

  private <T> T onLoop(Callable<T> work) throws Exception {
    return lease.loop().eventLoop().submit(work).get(5, TimeUnit.SECONDS);
  }

  private TreeSet<String> chosen() throws Exception {
    return onLoop(() -> {
      TreeSet<String> names = new TreeSet<>();
      for (int i = 0; i < 200; i++) {
        Peer peer = peers.choose(FunctionKey.parse("model-" + i + "@1/0"));
        if (peer != null) {
          names.add(peer.name());
        }
      }
      return names;
    });
  }

  private void awaitChosen(String... names) {
    try {
      TreeSet<String> wanted = new TreeSet<>(List.of(names));
      Bench.await("processes " + wanted, () -> {
        try {
          return chosen().equals(wanted);
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      });
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterEach
  void close() throws Exception {
    onLoop(() -> {
      peers.close();
      return null;
    });
    lease.close();
  }

  @Test
  void aServiceIsOneProcessForEachAddressAndChangesAreFollowed() throws Exception {
    start("http://workers:8110");
    assertTrue(chosen().isEmpty());
    pods = List.of("10.0.0.1", "10.0.0.2", "10.0.0.3");
    awaitChosen("10.0.0.1:8110", "10.0.0.2:8110", "10.0.0.3:8110");
    pods = List.of("10.0.0.2", "10.0.0.3", "10.0.0.4");
    awaitChosen("10.0.0.2:8110", "10.0.0.3:8110", "10.0.0.4:8110");
  }

  @Test
  void whatCannotBeLookedUpNowStaysAsItWas() throws Exception {
    pods = List.of("10.0.0.1", "10.0.0.2");
    start("http://workers:8110");
    awaitChosen("10.0.0.1:8110", "10.0.0.2:8110");
    pods = List.of();
    Thread.sleep(100);
    assertEquals(2, chosen().size());
  }

  @Test
  void aNameWithOneAddressIsKnownByItsNameWhereverItMoves() throws Exception {
    pods = List.of("10.0.0.1");
    start("http://w-0:8110,http://10.9.9.9:1");
    awaitChosen("w-0:8110", "10.9.9.9:1");
    pods = List.of("10.0.0.2");
    Bench.await("the move", () -> peers.toString().contains("w-0"));
    awaitChosen("w-0:8110", "10.9.9.9:1");
  }

  @Test
  void theSystemsOwnNamesAreFound() throws Exception {
    start("http://w-0:8110");
    List<InetAddress> found = new ArrayList<>();
    Lookup real = new Lookup(lease.loop());
    onLoop(() -> {
      real.find("localhost", found::addAll);
      return null;
    });
    Bench.await("localhost", () -> !found.isEmpty());
    assertTrue(found.get(0).isLoopbackAddress());
    onLoop(() -> {
      real.close();
      return null;
    });
  }

  @Override
  public void answered(Call call, FromFunction answer) {}

  @Override
  public void undelivered(Collection<Call> calls, String cause) {}

  @Override
  public void lost(Call call, String cause, boolean alone) {}

  @Override
  public void recovered(Peer peer) {}

  @Override
  public Counters counters() {
    return counters;
  }
}
