// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.flink.client.deployment.application.ApplicationClusterEntryPoint;
import org.apache.flink.client.program.PackagedProgram;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.plugin.PluginUtils;
import org.apache.flink.runtime.entrypoint.ClusterEntrypoint;
import org.apache.flink.runtime.resourcemanager.StandaloneResourceManagerFactory;
import org.apache.flink.runtime.util.EnvironmentInformation;

/**
 * A JobManager with this one job, where Flink's scripts are not at hand; takes the options of {@link Main}.
 *
 * <p>It is Flink's standalone application mode, with settings from {@code flink-conf.yaml} in {@code FLINK_CONF_DIR} and
 * then from {@code -D}. TaskManagers are Flink's own {@code TaskManagerRunner}. A job that differs from the one that high
 * availability keeps ends with status 2 before it listens anywhere: beside a JobManager that leads it is never ready, and
 * a Deployment leaves the former pod in its place.
 */
public final class Standalone extends ApplicationClusterEntryPoint {
  private Standalone(Configuration config, PackagedProgram program) {
    super(config, program, StandaloneResourceManagerFactory.getInstance());
  }

  public static void main(String... args) throws Exception {
    Options options;
    try {
      options = Options.parse(args);
    } catch (Misconfigured e) {
      throw Main.exit(2, e.getMessage());
    }
    Configuration config = configuration(System.getenv("FLINK_CONF_DIR"), options.flink);
    EnvironmentInformation.logEnvironmentInfo(
        org.slf4j.LoggerFactory.getLogger(Standalone.class), "Scurry's JobManager", args);
    PackagedProgram program =
        PackagedProgram.newBuilder().setEntryPointClassName(Main.class.getName()).setArguments(args).build();
    configureExecution(config, program);
    requireSame(options, config);
    ClusterEntrypoint.runClusterEntrypoint(new Standalone(config, program));
  }

  private static void requireSame(Options options, Configuration config) throws Exception {
    FileSystem.initialize(config, PluginUtils.createPluginManagerFromRootFolder(config));
    Configuration job = Defaults.onCluster(options, config);
    try {
      StoredJob.requireSame(job, Fingerprint.of(ModuleText.read(options.module), job));
    } catch (Misconfigured e) {
      throw Main.exit(2, e.getMessage());
    }
  }

  /** What the folder's {@code flink-conf.yaml} says, if there is one, and {@code wins} on top. */
  static Configuration configuration(String folder, Map<String, String> wins) {
    boolean there = folder != null && Files.isRegularFile(Path.of(folder, GlobalConfiguration.FLINK_CONF_FILENAME));
    return Defaults.under(there ? GlobalConfiguration.loadConfiguration(folder) : new Configuration(), wins);
  }
}
