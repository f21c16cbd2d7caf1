// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.highavailability.HighAvailabilityServices;
import org.apache.flink.runtime.highavailability.HighAvailabilityServicesUtils;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.jobmanager.JobGraphStore;
import org.apache.flink.runtime.rpc.AddressResolution;
import org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.ZooKeeperServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A start beside what high availability keeps, in a real ZooKeeper. */
@Timeout(60)
class StoredJobIT {
  @TempDir Path dir;
  private final NIOServerCnxnFactory zookeeper = new NIOServerCnxnFactory();
  private Configuration config;

  @BeforeEach
  void start() throws Exception {
    zookeeper.configure(new InetSocketAddress("127.0.0.1", 0), 20);
    zookeeper.startup(new ZooKeeperServer(dir.resolve("zk").toFile(), dir.resolve("log").toFile(), 2000));
    config = new Configuration();
    config.setString("high-availability", "zookeeper");
    config.setString("high-availability.zookeeper.quorum", "127.0.0.1:" + zookeeper.getLocalPort());
    config.setString("high-availability.storageDir", dir.resolve("ha").toUri().toString());
  }

  @AfterEach
  void stop() {
    zookeeper.shutdown();
  }

  private ModuleText module(String workers) throws Exception {
    return ModuleText.read(Files.writeString(dir.resolve("module.yaml"),
        "kind: scurry.redis.v1/ingress\nspec:\n  redis: redis://127.0.0.1:1\n---\n"
            + "kind: scurry.redis.v1/egress\nspec:\n  redis: redis://127.0.0.1:1\n---\n"
            + "kind: io.statefun.endpoints.v2/http\nspec:\n  functions: scurry/*\n  urlPathTemplate: " + workers + "\n")
        .toString());
  }

  /** As {@link Main} does it on a cluster; the graph as Flink keeps it. */
  private JobGraph graph(Configuration given, String workers) throws Exception {
    Configuration settings = Defaults.under(Defaults.everywhere(Options.parse()), given.toMap());
    Fingerprint.of(module(workers), settings).writeTo(settings);
    PlanEnvironment env = new PlanEnvironment(settings);
    env.configure(settings, getClass().getClassLoader());
    JobPlan.execute(env, settings, module(workers));
    JobGraph graph = env.graph().getJobGraph(getClass().getClassLoader(), null);
    graph.setSavepointRestoreSettings(SavepointRestoreSettings.fromConfiguration(settings));
    return graph;
  }

  private void keep(JobGraph graph) throws Exception {
    HighAvailabilityServices services = HighAvailabilityServicesUtils.createHighAvailabilityServices(
        config, Runnable::run, AddressResolution.NO_ADDRESS_RESOLUTION, null, failure -> {});
    JobGraphStore store = services.getJobGraphStore();
    store.start(new JobGraphStore.JobGraphListener() {
      @Override
      public void onAddedJobGraph(org.apache.flink.api.common.JobID id) {}

      @Override
      public void onRemovedJobGraph(org.apache.flink.api.common.JobID id) {}
    });
    store.putJobGraph(graph);
    store.stop();
    services.close();
  }

  private void requireSame(Configuration given, String workers) throws Exception {
    Configuration settings = Defaults.under(Defaults.everywhere(Options.parse()), given.toMap());
    StoredJob.requireSame(settings, Fingerprint.of(module(workers), settings));
  }

  @Test
  void nothingKeptNothingRefused() {
    assertDoesNotThrow(() -> requireSame(config, "http://one:1"));
  }

  @Test
  void theSameJobGoesOn() throws Exception {
    keep(graph(config, "http://one:1"));
    assertDoesNotThrow(() -> requireSame(config, "http://one:1"));
    assertDoesNotThrow(() -> requireSame(config, "http://one:1"));
  }

  @Test
  void aChangeIsSaidInTheSameSentenceEachTime() throws Exception {
    keep(graph(config, "http://one:1"));
    Configuration wider = new Configuration(config);
    wider.setString("parallelism.default", "2");
    for (int i = 0; i < 2; i++) {
      Misconfigured refusal = assertThrows(Misconfigured.class, () -> requireSame(wider, "http://two:1"));
      assertEquals(StoredJob.sentence(List.of("module", "parallelism")), refusal.getMessage());
      assertTrue(refusal.getMessage().contains("the module and the parallelism"), refusal.getMessage());
      assertTrue(refusal.getMessage().contains("`scurry job upgrade`"), refusal.getMessage());
    }
  }

  @Test
  void aSavepointThatWouldBePassedOverIsAChange() throws Exception {
    Configuration given = new Configuration(config);
    given.setString("execution.savepoint.path", "file:/savepoints/1");
    keep(graph(given, "http://one:1"));
    assertDoesNotThrow(() -> requireSame(given, "http://one:1"));
    assertDoesNotThrow(() -> requireSame(config, "http://one:1"));
    given.setString("execution.savepoint.path", "file:/savepoints/2");
    Misconfigured refusal = assertThrows(Misconfigured.class, () -> requireSame(given, "http://one:1"));
    assertEquals(StoredJob.sentence(List.of("savepoint")), refusal.getMessage());
  }
}
