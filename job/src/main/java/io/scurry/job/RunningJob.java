// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.runtime.checkpoint.CheckpointCoordinator;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.streaming.api.operators.StreamOperatorStateHandler;
import org.apache.flink.streaming.api.operators.StreamTaskStateInitializerImpl;

/** One submission of the job to the Flink in this process. */
final class RunningJob {
  private static final long POLL_MILLIS = 50;
  private static final int RESTORE_TRIES = 2;

  /** What of Flink brings a job back to a checkpoint. */
  private static final List<String> RESTORING = List.of(
      Checkpoints.class.getName() + ".load",
      CheckpointCoordinator.class.getName() + ".restore",
      StreamTaskStateInitializerImpl.class.getName() + ".",
      StreamOperatorStateHandler.class.getName() + ".initialize");

  private final MiniCluster cluster;
  private final JobID id;

  private RunningJob(MiniCluster cluster, JobID id) {
    this.cluster = cluster;
    this.id = id;
  }

  static RunningJob submit(MiniCluster cluster, JobGraph graph) throws Exception {
    return new RunningJob(cluster, cluster.submitJob(graph).get().getJobID());
  }

  JobID id() {
    return id;
  }

  /**
   * Waits until every task runs.
   *
   * @return null, or why the checkpoint cannot be restored
   * @throws Misconfigured when the job fails for another reason
   */
  String awaitRunning(boolean restores) throws Exception {
    while (true) {
      AccessExecutionGraph graph = cluster.getExecutionGraph(id).get();
      if (graph.getState() == JobStatus.RUNNING && allRunning(graph)) {
        return null;
      }
      Throwable failure = graph.getFailureInfo() == null ? null : graph.getFailureInfo().getException();
      if (graph.getState() == JobStatus.FAILED) {
        if (restores && isRestoreFailure(failure)) {
          return Causes.of(failure);
        }
        throw new Misconfigured("The job cannot start: " + Causes.of(failure));
      }
      if (restores && attempts(graph) >= RESTORE_TRIES && isRestoreFailure(failure)) {
        cancel(10);
        return Causes.of(failure);
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  private static boolean allRunning(AccessExecutionGraph graph) {
    List<AccessExecutionVertex> vertices = vertices(graph);
    return !vertices.isEmpty() && vertices.stream().allMatch(v -> v.getExecutionState() == ExecutionState.RUNNING);
  }

  private static int attempts(AccessExecutionGraph graph) {
    return vertices(graph).stream().mapToInt(v -> v.getCurrentExecutionAttempt().getAttemptNumber()).max().orElse(0);
  }

  private static List<AccessExecutionVertex> vertices(AccessExecutionGraph graph) {
    List<AccessExecutionVertex> vertices = new ArrayList<>();
    graph.getAllExecutionVertices().forEach(vertices::add);
    return vertices;
  }

  /** By where it arose, not by its words. A Redis that is away at the start must not cost a good checkpoint. */
  static boolean isRestoreFailure(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (Arrays.stream(t.getStackTrace()).anyMatch(RunningJob::restores)) {
        return true;
      }
    }
    return false;
  }

  private static boolean restores(StackTraceElement frame) {
    String place = frame.getClassName() + "." + frame.getMethodName();
    return RESTORING.stream().anyMatch(place::startsWith);
  }

  /** Cancels and waits so long; a job that has ended already is fine. */
  void cancel(long seconds) throws Exception {
    try {
      cluster.cancelJob(id).get(seconds, TimeUnit.SECONDS);
      cluster.requestJobResult(id).get(seconds, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      // It has ended.
    }
  }
}
