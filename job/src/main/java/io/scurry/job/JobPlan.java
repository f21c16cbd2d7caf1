// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import org.apache.flink.configuration.Configuration;
import org.apache.flink.statefun.flink.core.StatefulFunctionsConfig;
import org.apache.flink.statefun.flink.core.StatefulFunctionsJob;
import org.apache.flink.statefun.flink.core.message.MessageFactoryType;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Builds the Stateful Functions job in an environment, and executes it there. */
final class JobPlan {
  private JobPlan() {}

  static void execute(StreamExecutionEnvironment env, Configuration config, ModuleText module) throws Exception {
    if (config.getBoolean("execution.checkpointing.unaligned", false)) {
      throw new Misconfigured("Stateful Functions does not work with execution.checkpointing.unaligned.");
    }
    StatefulFunctionsConfig statefun = StatefulFunctionsConfig.fromFlinkConfiguration(config);
    statefun.setEmbedded(true);
    statefun.setFactoryType(MessageFactoryType.WITH_CUSTOM_PAYLOADS);
    statefun.setCustomPayloadSerializerClassName(TypedValuePayloads.class.getName());
    statefun.setProvider(module);
    StatefulFunctionsJob.main(env, statefun);
  }
}
