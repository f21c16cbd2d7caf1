// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pauses double between two bounds. */
class BackoffTest {
  @ParameterizedTest
  @CsvSource({"1, 50", "2, 100", "3, 200", "7, 3200", "8, 5000", "100000, 5000"})
  void pausesDoubleUpToTheLast(int failures, long millis) {
    assertEquals(millis, new Backoff(Duration.ofMillis(50), Duration.ofSeconds(5)).millis(failures));
  }
}
