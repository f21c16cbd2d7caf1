// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** At what pace a backlog is taken in. */
class AdmissionTest {
  @ParameterizedTest
  @CsvSource({"0, true", "127, true", "128, false", "512, false", "513, true", "40000, true"})
  void thePaceDoublesWhereItHoldsSomebodyUp(long takenInASecond, boolean tooSlow) {
    assertEquals(tooSlow, Admission.isTooSlow(takenInASecond, 512));
  }
}
