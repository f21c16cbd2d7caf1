// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.configuration.Configuration;

/** Flink's settings as this job needs them; what the user sets himself wins. */
final class Defaults {
  /** Flink's BLOB server stores what anybody sends it. */
  private static final String LOOPBACK = "127.0.0.1";

  private Defaults() {}

  /** What the job needs wherever it runs. */
  static Configuration everywhere(Options options) {
    Configuration config = new Configuration();
    // The default of 100 ms would be the latency of a lone request.
    config.setString("execution.buffer-timeout.interval", "0 ms");
    config.setString("execution.checkpointing.interval", "5 s");
    config.setString("execution.checkpointing.tolerable-failed-checkpoints", Integer.toString(Integer.MAX_VALUE));
    config.setString("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    config.setString("pipeline.object-reuse", "true");
    // The router bounds what is in flight. At this bound StateFun would stop every model at once.
    config.setString("statefun.async.max-per-task", "1000000");
    config.setString("statefun.flink-job-name", "scurry");
    if (options.checkpointInterval != null) {
      config.setString("execution.checkpointing.interval", options.checkpointInterval.toMillis() + " ms");
    }
    if (options.parallelism != null) {
      config.setString("parallelism.default", Integer.toString(options.parallelism));
    }
    return config;
  }

  /** What the job runs with on a cluster whose settings are these. */
  static Configuration onCluster(Options options, Configuration cluster) {
    Map<String, String> given = new HashMap<>(cluster.toMap());
    given.putAll(options.flink);
    return under(everywhere(options), given);
  }

  /** A whole Flink in this process, with its files under one directory. */
  static Configuration embedded(Options options) {
    Configuration config = everywhere(options);
    String slots = Integer.toString(options.parallelism == null ? 1 : options.parallelism);
    config.setString("parallelism.default", slots);
    config.setString("taskmanager.numberOfTaskSlots", slots);
    storage(config, options.data);
    restart(config);
    web(config, options.uiPort);
    config.setString("jobmanager.bind-host", LOOPBACK);
    config.setString("taskmanager.bind-host", LOOPBACK);
    config.setString("taskmanager.memory.managed.size", "16mb");
    config.setString("taskmanager.memory.network.min", "32mb");
    config.setString("taskmanager.memory.network.max", "32mb");
    // Both ends live in this process: a pause (a laptop asleep, SIGSTOP) is no loss.
    config.setString("heartbeat.timeout", "600000");
    config.setString("akka.ask.timeout", "60 s");
    config.setString("classloader.check-leaked-classloader", "false");
    options.flink.forEach(config::setString);
    boolean rocks = config.getString("state.backend", "").equals("rocksdb");
    if (rocks && !options.flink.containsKey("taskmanager.memory.managed.size")) {
      config.setString("taskmanager.memory.managed.size", "128mb");
    }
    return config;
  }

  private static void storage(Configuration config, Path data) {
    config.setString("state.backend", "hashmap");
    config.setString("state.checkpoints.dir", data.resolve("checkpoints").toUri().toString());
    config.setString("state.checkpoints.num-retained", "2");
    config.setString("io.tmp.dirs", data.resolve("tmp").toString());
    config.setString("blob.storage.directory", data.resolve("tmp").toString());
    config.setString("web.tmpdir", data.resolve("tmp").toString());
  }

  private static void restart(Configuration config) {
    config.setString("restart-strategy", "exponential-delay");
    config.setString("restart-strategy.exponential-delay.initial-backoff", "200 ms");
    config.setString("restart-strategy.exponential-delay.max-backoff", "10 s");
    config.setString("restart-strategy.exponential-delay.backoff-multiplier", "2.0");
    config.setString("restart-strategy.exponential-delay.reset-backoff-threshold", "1 min");
    config.setString("restart-strategy.exponential-delay.jitter-factor", "0.1");
  }

  private static void web(Configuration config, int port) {
    config.setString("rest.address", LOOPBACK);
    config.setString("rest.bind-address", LOOPBACK);
    config.setString("rest.port", Integer.toString(Math.max(0, port)));
    config.setString("rest.bind-port", Integer.toString(Math.max(0, port)));
    config.setString("web.submit.enable", "false");
    config.setString("web.cancel.enable", "false");
  }

  /** The user's settings on top of these. */
  static Configuration under(Configuration defaults, Map<String, String> wins) {
    Configuration config = new Configuration(defaults);
    wins.forEach(config::setString);
    return config;
  }
}
