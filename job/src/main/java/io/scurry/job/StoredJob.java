// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.highavailability.HighAvailabilityServices;
import org.apache.flink.runtime.highavailability.HighAvailabilityServicesUtils;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobmanager.HighAvailabilityMode;
import org.apache.flink.runtime.jobmanager.JobGraphStore;
import org.apache.flink.runtime.rpc.AddressResolution;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The job that high availability keeps, and whether it is the one that is about to start.
 *
 * <p>With high availability Flink stores the graph of the job it runs, and a JobManager that finds one goes on with it:
 * what a later start is given (another module, address, parallelism, jar or savepoint) it passes over without a word.
 */
final class StoredJob {
  private static final Logger LOG = LoggerFactory.getLogger(StoredJob.class);

  private final Map<String, String> parameters;
  private final String savepoint;

  private StoredJob(JobGraph graph, ClassLoader loader) throws Exception {
    parameters = graph.getSerializedExecutionConfig().deserializeValue(loader).getGlobalJobParameters().toMap();
    String path = graph.getSavepointRestoreSettings().getRestorePath();
    savepoint = path == null ? "" : path;
  }

  /** Throws {@link Misconfigured} where Flink would go on with another job than this. */
  static void requireSame(Configuration config, Fingerprint starting) throws Exception {
    StoredJob stored = find(config);
    if (stored == null) {
      return;
    }
    List<String> differences = Fingerprint.read(stored.parameters).differences(starting);
    String from = config.getString("execution.savepoint.path", "");
    if (!from.isEmpty() && !from.equals(stored.savepoint)) {
      differences.add("savepoint");
    }
    if (!differences.isEmpty()) {
      throw new Misconfigured(sentence(differences));
    }
  }

  static String sentence(List<String> differences) {
    List<String> words = new ArrayList<>(differences);
    words.replaceAll(word -> "the " + word);
    String last = words.remove(words.size() - 1);
    String all = words.isEmpty() ? last : String.join(", ", words) + " and " + last;
    boolean many = !words.isEmpty() || last.equals("the settings");
    return "High availability keeps a job that differs from this one in " + all + ", and Flink would go on with it as if "
        + (many ? "they had" : "it had") + " not changed; run `scurry job upgrade` to take its state over into this one, or"
        + " take the change back.";
  }

  /** Null where there is none, or no high availability. */
  private static StoredJob find(Configuration config) throws Exception {
    if (!HighAvailabilityMode.isHighAvailabilityModeActivated(config)) {
      return null;
    }
    HighAvailabilityServices services = HighAvailabilityServicesUtils.createHighAvailabilityServices(
        config, Runnable::run, AddressResolution.NO_ADDRESS_RESOLUTION, null,
        failure -> LOG.warn("High availability: {}", Causes.of(failure)));
    try {
      JobGraphStore store = services.getJobGraphStore();
      store.start(new Unheard());
      try {
        return first(store);
      } finally {
        store.stop();
      }
    } finally {
      services.close();
    }
  }

  private static StoredJob first(JobGraphStore store) throws Exception {
    Collection<JobID> ids;
    try {
      ids = store.getJobIds();
    } catch (Exception e) {
      if (isNoPlaceYet(e)) {
        return null;
      }
      throw e;
    }
    if (ids.isEmpty()) {
      return null;
    }
    JobGraph graph = store.recoverJobGraph(ids.iterator().next());
    return graph == null ? null : new StoredJob(graph, Thread.currentThread().getContextClassLoader());
  }

  /** On Kubernetes the ConfigMap is made by the first JobManager that leads; before, reading it fails. */
  static boolean isNoPlaceYet(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause.getClass().getSimpleName().equals("KubernetesException")
          && String.valueOf(cause.getMessage()).contains("does not exist")) {
        return true;
      }
    }
    return false;
  }

  /** We look once. */
  private static final class Unheard implements JobGraphStore.JobGraphListener {
    @Override
    public void onAddedJobGraph(JobID id) {}

    @Override
    public void onRemovedJobGraph(JobID id) {}
  }
}
