// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher's command line and what it makes of Flink's settings. */
class OptionsTest {
  @Test
  void everyOptionIsRead() {
    Options options = Options.parse("--module", "m.yaml", "--data", "/d", "--ui-port", "-1", "--parallelism", "2",
        "--checkpoint-interval", "250ms", "-D", "a=b=c", "-Dx.y= z");
    assertEquals("m.yaml", options.module);
    assertEquals(Path.of("/d"), options.data);
    assertEquals(-1, options.uiPort);
    assertEquals(2, options.parallelism);
    assertEquals(Duration.ofMillis(250), options.checkpointInterval);
    assertEquals(Map.of("a", "b=c", "x.y", "z"), options.flink);
  }

  @Test
  void withoutDataTheJobIsForACluster() {
    assertNull(Options.parse().data);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--nonsense 1", "--ui-port 70000", "--ui-port x", "--parallelism 0",
      "--checkpoint-interval 5", "--checkpoint-interval soon", "--data", "-D novalue", "-D =x"})
  void whatCannotBeMeantIsOneSentence(String line) {
    Misconfigured e = assertThrows(Misconfigured.class, () -> Options.parse(line.split(" ")));
    assertTrue(e.getMessage().endsWith("."), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
  }

  @Test
  void userSettingsWinOverDefaults() {
    Configuration config = Defaults.embedded(
        Options.parse("--data", "/d", "-D", "state.backend=rocksdb", "-D", "execution.buffer-timeout.interval=5 ms"));
    assertEquals("5 ms", config.getString("execution.buffer-timeout.interval", ""));
    assertEquals("128mb", config.getString("taskmanager.memory.managed.size", ""));
  }

  @Test
  void networkBuffersAreNeverHeldBack() {
    assertEquals("0 ms", Defaults.everywhere(Options.parse()).getString("execution.buffer-timeout.interval", ""));
  }

  @Test
  void withoutUiOnlyAFreeLocalPortIsOpened() {
    Configuration config = Defaults.embedded(Options.parse("--data", "/d", "--ui-port", "-1"));
    assertEquals("0", config.getString("rest.bind-port", ""));
    assertEquals("127.0.0.1", config.getString("rest.bind-address", ""));
  }
}
