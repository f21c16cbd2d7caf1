// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.util.Map;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;

/** An environment that keeps the graph it is asked to execute, for the embedded job to run it. */
final class PlanEnvironment extends StreamExecutionEnvironment {
  private StreamGraph graph;

  PlanEnvironment(Configuration config) {
    super(config);
  }

  @Override
  public JobExecutionResult execute(StreamGraph streamGraph) {
    graph = streamGraph;
    return new JobExecutionResult(new JobID(), 0, Map.of());
  }

  StreamGraph graph() {
    return graph;
  }
}
