// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
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
  void aFullDiskPasses() {
    assertFalse(Causes.isMisconfigured(Embedded.unstarted("It does not start.", 0, true)));
    assertTrue(Causes.isMisconfigured(Embedded.unstarted("It does not start.", 1L << 30, true)));
    assertTrue(Causes.isMisconfigured(Embedded.unstarted("It does not start.", 0, false)));
  }

  private static Exception arisenIn(String place) {
    String[] parts = place.split("#");
    Exception failure = new Exception("whatever it says");
    failure.setStackTrace(new StackTraceElement[] {
        new StackTraceElement("java.util.Map", "get", "Map.java", 1),
        new StackTraceElement("org.apache.flink." + parts[0], parts[1], parts[0] + ".java", 1)});
    return failure;
  }

  @Test
  void onlyFailuresOfARestoreCostACheckpoint() {
    for (String place : List.of("streaming.api.operators.StreamTaskStateInitializerImpl#operatorStateBackend",
        "streaming.api.operators.StreamOperatorStateHandler#initializeOperatorState",
        "runtime.checkpoint.Checkpoints#loadAndValidateCheckpoint",
        "runtime.checkpoint.CheckpointCoordinator#restoreLatestCheckpointedStateInternal")) {
      assertTrue(RunningJob.isRestoreFailure(new RuntimeException("x", arisenIn(place))), place);
      assertTrue(RunningJob.isRestoreFailure(new SerializedThrowable(arisenIn(place))), place);
    }
    assertFalse(RunningJob.isRestoreFailure(arisenIn("runtime.checkpoint.CheckpointCoordinator#triggerCheckpoint")));
    assertFalse(RunningJob.isRestoreFailure(new RuntimeException("Could not restore, says somebody else")));
    assertFalse(RunningJob.isRestoreFailure(null));
  }
}
