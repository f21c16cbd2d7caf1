// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.flink.util.SerializedThrowable;
import org.junit.jupiter.api.Test;

/** One sentence for a chain of causes. */
class SentencesTest {
  @Test
  void ourOwnWordsWin() {
    Exception e = new RuntimeException("outer", new Misconfigured("Ours."));
    assertEquals("Ours.", Sentences.of(e));
  }

  @Test
  void ourOwnWordsWinAfterTheyCrossedFlink() {
    Exception e = new RuntimeException("outer", new SerializedThrowable(new RuntimeException(new Misconfigured("Ours."))));
    assertEquals("Ours.", Sentences.of(e));
  }

  @Test
  void elseTheInnermostCauseOnOneLine() {
    assertEquals("inner.", Sentences.of(new RuntimeException("outer", new RuntimeException("inner\nmore"))));
    assertEquals("java.lang.RuntimeException.", Sentences.of(new RuntimeException()));
  }

  @Test
  void onlyFailuresOfARestoreCostACheckpoint() {
    assertTrue(RunningJob.isRestoreFailure(
        new RuntimeException("x", new RuntimeException("Could not restore keyed state backend for …"))));
    assertFalse(RunningJob.isRestoreFailure(new RuntimeException("Connection refused")));
    assertFalse(RunningJob.isRestoreFailure(null));
  }
}
