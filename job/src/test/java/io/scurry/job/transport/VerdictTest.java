// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A status tells whether calls may have been executed and who may mend it. */
class VerdictTest {
  @ParameterizedTest
  @CsvSource({
    "200, 1, LOST", "200, 9, LOST", "500, 1, LOST", "502, 1, LOST", "413, 1, LOST", "413, 2, SPLIT",
    "503, 3, ELSEWHERE", "429, 3, ELSEWHERE", "404, 1, MISPLACED", "401, 5, MISPLACED", "302, 1, LOST", "0, 1, LOST",
  })
  void statusesAreJudged(int status, int calls, Verdict verdict) {
    assertEquals(verdict, Verdict.of(status, calls));
  }
}
