// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.state.IncrementalRemoteKeyedStateHandle;
import org.apache.flink.runtime.state.KeyGroupsStateHandle;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.StateObject;
import org.apache.flink.runtime.state.StreamStateHandle;
import org.apache.flink.runtime.state.filesystem.FileStateHandle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The checkpoints that runs of the job have left in a directory: {@code <run>/chk-<n>/_metadata}. */
final class SavedCheckpoints {
  private static final Logger LOG = LoggerFactory.getLogger(SavedCheckpoints.class);

  private final Path directory;

  SavedCheckpoints(Path directory) {
    this.directory = directory;
  }

  /** Complete checkpoints, the newest first, of whichever run. */
  List<Path> newestFirst() {
    return children(directory).stream()
        .flatMap(run -> children(run).stream())
        .filter(SavedCheckpoints::isComplete)
        .sorted(Comparator.comparingLong(SavedCheckpoints::age).thenComparingLong(SavedCheckpoints::number).reversed())
        .collect(Collectors.toList());
  }

  /** Whether this run has completed a checkpoint. */
  boolean hasAny(String run) {
    return children(directory.resolve(run)).stream().anyMatch(SavedCheckpoints::isComplete);
  }

  /** Deletes what every other run has left. */
  void deleteAllBut(String run) {
    for (Path other : children(directory)) {
      if (!other.getFileName().toString().equals(run)) {
        delete(other);
      }
    }
  }

  private static boolean isComplete(Path checkpoint) {
    boolean named = checkpoint.getFileName().toString().matches("chk-\\d+");
    return named && Files.isRegularFile(checkpoint.resolve("_metadata"));
  }

  private static long age(Path checkpoint) {
    try {
      return Files.getLastModifiedTime(checkpoint.resolve("_metadata")).toMillis();
    } catch (IOException e) {
      return 0;
    }
  }

  private static long number(Path checkpoint) {
    return Long.parseLong(checkpoint.getFileName().toString().substring("chk-".length()));
  }

  private static List<Path> children(Path directory) {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(directory)) {
      return children.filter(Files::isDirectory).sorted().collect(Collectors.toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void delete(Path tree) {
    if (!Files.exists(tree)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(tree)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).collect(Collectors.toList())) {
        Files.deleteIfExists(path);
      }
    } catch (IOException | UncheckedIOException e) {
      LOG.warn("{} could not be deleted wholly: {}", tree, e.toString());
    }
  }

  /** Why a checkpoint cannot be restored from, or null: its metadata must parse and its files be there, whole. */
  static String damage(Path checkpoint) {
    Path file = checkpoint.resolve("_metadata");
    try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      ClassLoader loader = SavedCheckpoints.class.getClassLoader();
      CheckpointMetadata metadata = Checkpoints.loadCheckpointMetadata(in, loader, checkpoint.toUri().toString());
      for (OperatorState operator : metadata.getOperatorStates()) {
        for (OperatorSubtaskState subtask : operator.getStates()) {
          for (StreamStateHandle handle : handles(subtask)) {
            requireWhole(handle);
          }
        }
      }
      return null;
    } catch (IOException | RuntimeException e) {
      return e.getMessage() == null ? e.toString() : e.getMessage();
    }
  }

  private static List<StreamStateHandle> handles(OperatorSubtaskState subtask) {
    List<StateObject> states = new ArrayList<>();
    states.addAll(subtask.getManagedKeyedState());
    states.addAll(subtask.getRawKeyedState());
    states.addAll(subtask.getManagedOperatorState());
    states.addAll(subtask.getRawOperatorState());
    List<StreamStateHandle> handles = new ArrayList<>();
    for (StateObject state : states) {
      if (state instanceof KeyGroupsStateHandle) {
        handles.add(((KeyGroupsStateHandle) state).getDelegateStateHandle());
      } else if (state instanceof OperatorStateHandle) {
        handles.add(((OperatorStateHandle) state).getDelegateStateHandle());
      } else if (state instanceof IncrementalRemoteKeyedStateHandle) {
        IncrementalRemoteKeyedStateHandle incremental = (IncrementalRemoteKeyedStateHandle) state;
        incremental.getSharedState().forEach(part -> handles.add(part.getHandle()));
        incremental.getPrivateState().forEach(part -> handles.add(part.getHandle()));
      }
    }
    return handles;
  }

  private static void requireWhole(StreamStateHandle handle) throws IOException {
    if (handle instanceof FileStateHandle) {
      Path file = Path.of(((FileStateHandle) handle).getFilePath().toUri().getPath());
      long size = Files.isRegularFile(file) ? Files.size(file) : -1;
      if (size < handle.getStateSize()) {
        throw new IOException(file + (size < 0 ? " is missing" : " is cut short"));
      }
    }
  }
}
