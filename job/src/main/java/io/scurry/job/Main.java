// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Entry point of the job: with {@code --data DIR} a whole Flink in this process, else on the cluster it was given to.
 *
 * <pre>
 * --module FILE              what the job is made of (default: module.yaml on the class path)
 * --data DIR                 run embedded, with checkpoints in DIR/checkpoints
 * --ui-port PORT             Flink's web UI; 0 picks a free port, -1 shows none (default 8081; embedded)
 * --parallelism N            subtasks (default 1 embedded, else the cluster's)
 * --checkpoint-interval 5s   time between checkpoints
 * -D key=value               any setting of Flink, for example -D state.backend=rocksdb
 * </pre>
 *
 * <p>On a cluster with high availability it starts only what is kept there, if anything is: see {@link StoredJob}.
 *
 * <p>Embedded it prints {@code scurry job is running} once every task runs. Exit status: 0 when stopped by a signal, 2
 * when something is set wrongly, 1 when the job failed; the last two with one sentence on standard error.
 */
public final class Main {
  private Main() {}

  public static void main(String... args) throws Exception {
    Options options;
    try {
      options = Options.parse(args);
    } catch (Misconfigured e) {
      throw exit(2, e.getMessage());
    }
    if (options.data == null) {
      onCluster(options);
    } else {
      embedded(options);
    }
  }

  private static void onCluster(Options options) throws Exception {
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    Configuration config = Defaults.onCluster(options, (Configuration) env.getConfiguration());
    ModuleText module = ModuleText.read(options.module);
    Fingerprint starting = Fingerprint.of(module, config);
    try {
      StoredJob.requireSame(config, starting);
    } catch (Misconfigured e) {
      throw exit(2, e.getMessage());
    }
    starting.writeTo(config);
    env.configure(config, Thread.currentThread().getContextClassLoader());
    JobPlan.execute(env, config, module);
  }

  private static void embedded(Options options) {
    configureLogging();
    AtomicInteger status = new AtomicInteger();
    Embedded job;
    try {
      job = new Embedded(options, System.out);
    } catch (RuntimeException e) {
      throw exit(2, Causes.of(e));
    }
    Thread hook = new Thread(() -> {
      job.stop();
      Runtime.getRuntime().halt(status.get());
    }, "scurry-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      String ended = job.run();
      status.set(ended == null ? 0 : 1);
      if (ended != null) {
        System.err.println(ended);
      }
    } catch (Misconfigured e) {
      status.set(2);
      System.err.println(e.getMessage());
    } catch (Exception e) {
      status.set(1);
      System.err.println(Causes.of(e));
    }
    System.exit(status.get());
  }

  /** Our layout, unless the command line names another. Before the first logger is made. */
  private static void configureLogging() {
    boolean named = System.getProperty("log4j2.configurationFile", System.getProperty("log4j.configurationFile")) != null;
    if (!named) {
      System.setProperty("log4j2.configurationFile", "classpath:io/scurry/job/log4j2.properties");
    }
    System.setProperty("log4j2.disableJmx", "true");
  }

  static RuntimeException exit(int status, String sentence) {
    System.err.println(sentence);
    System.exit(status);
    return new IllegalStateException(sentence);
  }
}
