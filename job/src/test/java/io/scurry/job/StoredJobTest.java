// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What is made of what high availability says. */
class StoredJobTest {
  /** Stands for Flink's own, which is on the class path on Kubernetes alone. */
  private static final class KubernetesException extends Exception {
    KubernetesException(String message) {
      super(message);
    }
  }

  @Test
  void aConfigMapThatNobodyMadeYetHoldsNoJob() {
    Exception absent = new KubernetesException("ConfigMap scurry-cluster-config-map does not exists.");
    assertTrue(StoredJob.isNoPlaceYet(new Exception("Failed to retrieve all job ids.", absent)));
  }

  @Test
  void anyOtherFailureIsOne() {
    assertFalse(StoredJob.isNoPlaceYet(new Exception("x", new KubernetesException("Forbidden."))));
    assertFalse(StoredJob.isNoPlaceYet(new Exception("The file does not exist.")));
  }

  @Test
  void aSentenceNamesEachPart() {
    assertTrue(StoredJob.sentence(List.of("module")).contains("in the module, and Flink would go on with it as if it had"));
    assertTrue(StoredJob.sentence(List.of("module", "jar")).contains("in the module and the jar, and"));
    assertEquals(1, StoredJob.sentence(List.of("jar")).lines().count());
  }
}
