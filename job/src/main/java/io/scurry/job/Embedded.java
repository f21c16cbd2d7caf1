// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.RestoreMode;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.minicluster.RpcServiceSharing;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The job and a whole Flink in this process, continuing where the last run in its data directory stood. */
final class Embedded {
  /** With less room on its disk nothing starts. */
  private static final long LEAST_BYTES = 1 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(Embedded.class);
  private static final long STOP_SECONDS = 3;

  private final Options options;
  private final Configuration config;
  private final SavedCheckpoints saved;
  private final PrintStream out;

  private volatile MiniCluster cluster;
  private volatile RunningJob job;
  private volatile boolean stopping;

  Embedded(Options options, PrintStream out) {
    this.options = options;
    this.config = Defaults.embedded(options);
    this.saved = new SavedCheckpoints(options.data.resolve("checkpoints"));
    this.out = out;
  }

  /** Runs until the job ends or {@link #stop()} is called; returns why it ended, or null when it was stopped. */
  String run() throws Exception {
    try (FileChannel lock = lock()) {
      StreamGraph graph = graph();
      SavedCheckpoints.delete(options.data.resolve("tmp"));
      Files.createDirectories(options.data.resolve("tmp"));
      startCluster();
      job = start(graph);
      if (options.uiPort >= 0) {
        out.println("scurry job ui " + cluster.getRestAddress().get());
      }
      out.println("scurry job is running");
      out.flush();
      forgetEarlierRuns();
      JobResult result = cluster.requestJobResult(job.id()).get();
      return stopping ? null : end(result);
    } catch (ExecutionException | RuntimeException e) {
      if (stopping) {
        return null;
      }
      throw e;
    } finally {
      stop();
    }
  }

  /** Why it ended; what is set wrongly stays so however often it is started again. */
  private static String end(JobResult result) {
    Throwable failure = result.getSerializedThrowable().orElse(null);
    if (Causes.isMisconfigured(failure)) {
      throw new Misconfigured(Causes.of(failure));
    }
    return failure == null ? "The job ended." : Causes.of(failure);
  }

  /** One data directory, one job: two would each delete the other's checkpoints. */
  private FileChannel lock() throws IOException {
    Path file = options.data.resolve("job.lock");
    try {
      Files.createDirectories(options.data);
      FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (!locked(channel)) {
        channel.close();
        throw new Misconfigured("Another job is running in " + options.data + ".");
      }
      return channel;
    } catch (IOException e) {
      throw unstarted("The data directory " + options.data + " cannot be used: " + e + ".");
    }
  }

  private static boolean locked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  private StreamGraph graph() throws Exception {
    PlanEnvironment env = new PlanEnvironment(config);
    try {
      JobPlan.execute(env, config, ModuleText.read(options.module));
    } catch (RuntimeException e) {
      throw new Misconfigured(Causes.of(e));
    }
    return env.graph();
  }

  private void startCluster() throws Exception {
    int slots = config.getInteger("taskmanager.numberOfTaskSlots", 1);
    cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
        .setConfiguration(config)
        .setNumTaskManagers(1)
        .setNumSlotsPerTaskManager(slots)
        .setRpcServiceSharing(RpcServiceSharing.SHARED)
        .build());
    try {
      cluster.start();
    } catch (Exception e) {
      throw unstarted("Flink does not start: " + Causes.of(e));
    }
  }

  /** A full disk passes: to start again may help then. All else that keeps us from starting is set wrongly. */
  private RuntimeException unstarted(String sentence) {
    return unstarted(sentence, options.data.toFile().getUsableSpace(), Files.isDirectory(options.data));
  }

  /** {@code room} is 0 also for what does not exist. */
  static RuntimeException unstarted(String sentence, long room, boolean exists) {
    return exists && room < LEAST_BYTES
        ? new IllegalStateException("The disk is full: " + sentence) : new Misconfigured(sentence);
  }

  /** The newest checkpoint that can be restored from counts; the one before only when that is damaged. */
  private RunningJob start(StreamGraph graph) throws Exception {
    List<String> damages = new ArrayList<>();
    for (SavepointRestoreSettings restore : candidates(damages)) {
      JobGraph jobGraph = graph.getJobGraph(getClass().getClassLoader(), null);
      jobGraph.setSavepointRestoreSettings(restore);
      RunningJob started = RunningJob.submit(cluster, jobGraph);
      job = started;
      String damage = started.awaitRunning(restore.restoreSavepoint());
      if (damage == null) {
        LOG.info(restore.restoreSavepoint() ? "Resumed from {}." : "Started without state.", restore.getRestorePath());
        return started;
      }
      LOG.warn("The checkpoint {} is damaged: {}", restore.getRestorePath(), damage);
      damages.add(restore.getRestorePath() + ": " + damage);
    }
    throw new Misconfigured("No checkpoint in " + options.data + " can be restored (" + String.join("; ", damages)
        + "); delete its directory checkpoints to start without registered models.");
  }

  private List<SavepointRestoreSettings> candidates(List<String> damages) {
    SavepointRestoreSettings asked = SavepointRestoreSettings.fromConfiguration(config);
    if (asked.restoreSavepoint()) {
      return List.of(asked);
    }
    List<SavepointRestoreSettings> candidates = new ArrayList<>();
    List<Path> checkpoints = saved.newestFirst();
    for (Path checkpoint : checkpoints) {
      String damage = SavedCheckpoints.damage(checkpoint);
      if (damage == null) {
        candidates.add(
            SavepointRestoreSettings.forPath(checkpoint.toUri().toString(), false, RestoreMode.NO_CLAIM));
      } else {
        LOG.warn("The checkpoint {} is damaged: {}", checkpoint, damage);
        damages.add(checkpoint + ": " + damage);
      }
    }
    if (checkpoints.isEmpty()) {
      candidates.add(SavepointRestoreSettings.none());
    }
    return candidates;
  }

  /** Earlier runs' checkpoints go once this run has one of its own. */
  private void forgetEarlierRuns() {
    String run = job.id().toHexString();
    Thread thread = new Thread(() -> {
      try {
        while (!stopping && !saved.hasAny(run)) {
          Thread.sleep(500);
        }
        if (!stopping) {
          saved.deleteAllBut(run);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }, "scurry-forget-earlier-runs");
    thread.setDaemon(true);
    thread.start();
  }

  /** Cancels the job and ends Flink; checkpoints stay. */
  void stop() {
    stopping = true;
    RunningJob running = job;
    MiniCluster flink = cluster;
    try {
      if (running != null) {
        running.cancel(STOP_SECONDS);
      }
      if (flink != null) {
        flink.closeAsync().get(STOP_SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      LOG.debug("Flink did not end by itself.", e);
    }
  }
}
