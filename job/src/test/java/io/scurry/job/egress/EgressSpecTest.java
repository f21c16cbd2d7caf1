// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.scurry.job.Misconfigured;
import org.junit.jupiter.api.Test;

/** What module.yaml may say of the egress. */
class EgressSpecTest {
  @Test
  void markersMustOutliveTheLongestOutage() {
    assertThrows(Misconfigured.class, () -> Given.egress("markerTtl", "5min"));
    assertEquals(900, Given.egress().markerTtl.toSeconds());
  }
}
