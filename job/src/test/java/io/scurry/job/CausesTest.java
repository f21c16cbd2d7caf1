// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.flink.util.SerializedThrowable;
import org.junit.jupiter.api.Test;

/** One sentence for a chain of causes. */
class CausesTest {
  @Test
  void ourOwnWordsWin() {
    Exception e = new RuntimeException("outer", new Misconfigured("Ours."));
    assertEquals("Ours.", Causes.of(e));
  }

  @Test
  void ourOwnWordsWinAfterTheyCrossedFlink() {
    Throwable sent = new SerializedThrowable(new RuntimeException(new Misconfigured("Ours.")));
    Exception e = new RuntimeException("outer", sent);
    assertEquals("Ours.", Causes.of(e));
  }

  @Test
  void whatIsSetWronglyIsToldFromWhatMayPass() {
    assertTrue(Causes.isMisconfigured(new RuntimeException(new Misconfigured("Ours."))));
    assertTrue(Causes.isMisconfigured(new SerializedThrowable(new RuntimeException(new Misconfigured("Ours.")))));
    assertFalse(Causes.isMisconfigured(new RuntimeException(new IllegalArgumentException("not ours"))));
    assertFalse(Causes.isMisconfigured(null));
  }

  @Test
  void elseTheInnermostCauseOnOneLine() {
    assertEquals("The inner one.", Causes.of(new RuntimeException("o", new RuntimeException("The inner one\nmore"))));
    assertEquals("java.lang.RuntimeException: word.", Causes.of(new RuntimeException("word")));
    assertEquals("java.lang.RuntimeException.", Causes.of(new RuntimeException()));
  }

  @Test
  void onlyFailuresOfARestoreCostACheckpoint() {
    assertTrue(RunningJob.isRestoreFailure(
        new RuntimeException("x", new RuntimeException("Could not restore keyed state backend for …"))));
    assertFalse(RunningJob.isRestoreFailure(new RuntimeException("Connection refused")));
    assertFalse(RunningJob.isRestoreFailure(null));
  }
}
