// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupRangeOffsets;
import org.apache.flink.runtime.state.KeyGroupsStateHandle;
import org.apache.flink.runtime.state.filesystem.FileStateHandle;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which checkpoints a new run may start from, and which it may delete. */
class SavedCheckpointsTest {
  @TempDir Path dir;
  private SavedCheckpoints saved;

  @BeforeEach
  void open() {
    saved = new SavedCheckpoints(dir);
  }

  private Path checkpoint(String run, int number, long seconds) throws IOException {
    Path checkpoint = Files.createDirectories(dir.resolve(run).resolve("chk-" + number));
    Path metadata = Files.writeString(checkpoint.resolve("_metadata"), "x");
    Files.setLastModifiedTime(metadata, FileTime.fromMillis(seconds * 1000));
    return checkpoint;
  }

  private Path withState(String content, int size) throws IOException {
    Path checkpoint = Files.createDirectories(dir.resolve("run").resolve("chk-1"));
    Path file = Files.writeString(checkpoint.resolve("state"), content);
    KeyGroupsStateHandle handle = new KeyGroupsStateHandle(new KeyGroupRangeOffsets(KeyGroupRange.of(0, 0)),
        new FileStateHandle(new org.apache.flink.core.fs.Path(file.toUri()), size));
    OperatorState operator = new OperatorState(new OperatorID(1, 2), 1, 128);
    operator.putState(0, OperatorSubtaskState.builder().setManagedKeyedState(handle).build());
    try (OutputStream out = Files.newOutputStream(checkpoint.resolve("_metadata"))) {
      Checkpoints.storeCheckpointMetadata(new CheckpointMetadata(1, List.of(operator), List.of()), out);
    }
    return checkpoint;
  }

  @Test
  void newestCompleteCheckpointOfAnyRunComesFirst() throws IOException {
    Path old = checkpoint("b", 9, 100);
    Path newer = checkpoint("a", 2, 200);
    Path newest = checkpoint("a", 3, 200);
    Files.createDirectories(dir.resolve("c").resolve("chk-1"));
    Files.createDirectories(dir.resolve("c").resolve("shared"));
    assertEquals(List.of(newest, newer, old), saved.newestFirst());
  }

  @Test
  void anEmptyDirectoryHasNone() {
    assertEquals(List.of(), new SavedCheckpoints(dir.resolve("none")).newestFirst());
  }

  @Test
  void onlyOtherRunsAreDeleted() throws IOException {
    checkpoint("mine", 1, 1);
    checkpoint("other", 1, 1);
    assertTrue(saved.hasAny("mine"));
    saved.deleteAllBut("mine");
    assertTrue(Files.exists(dir.resolve("mine")));
    assertFalse(Files.exists(dir.resolve("other")));
  }

  @Test
  void aWholeCheckpointIsNotDamaged() throws IOException {
    assertNull(SavedCheckpoints.damage(withState("12345", 5)));
  }

  @Test
  void aShortOrMissingStateFileIsDamage() throws IOException {
    Path checkpoint = withState("12345", 6);
    assertNotNull(SavedCheckpoints.damage(checkpoint));
    Files.delete(checkpoint.resolve("state"));
    assertNotNull(SavedCheckpoints.damage(checkpoint));
  }

  @Test
  void unreadableMetadataIsDamage() throws IOException {
    assertNotNull(SavedCheckpoints.damage(checkpoint("run", 1, 1)));
  }
}
