// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.scurry.job.Misconfigured;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What module.yaml may say of the ingress. */
class IngressSpecTest {
  @Test
  void specsReadDefaultsPlaceholdersAndUnits() {
    System.setProperty("SCURRY_TEST_NAMESPACE", "{n}");
    IngressSpec spec = Given.ingress("namespace", "${SCURRY_TEST_NAMESPACE:x}", "outage", "30s", "onGap", "resume");
    assertEquals("{n}", spec.keys.namespace);
    assertEquals(Duration.ofSeconds(30), spec.outage);
    assertEquals(64L << 20, spec.inFlightBytes);
    assertEquals(512L << 20, spec.retentionBytes);
    assertTrue(spec.resumeOnGap);
  }

  @ParameterizedTest
  @CsvSource({"onGap, skip", "inFlightBytes, many", "bulkInFlight, 0", "outage, long", "retentionBytes, big", "unknown, 1",
      "namespace, 'a b'"})
  void ingressSpecRefusesNonsense(String field, String value) {
    assertThrows(Misconfigured.class, () -> Given.ingress(field, value));
  }
}
