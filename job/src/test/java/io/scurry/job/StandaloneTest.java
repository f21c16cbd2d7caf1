// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the JobManager's settings come from. */
class StandaloneTest {
  @TempDir Path dir;

  @Test
  void theCommandLineWinsOverTheFile() throws Exception {
    Files.writeString(dir.resolve("flink-conf.yaml"), "rest.port: 1\nparallelism.default: 3\n");
    Configuration config = Standalone.configuration(dir.toString(), Map.of("rest.port", "2"));
    assertEquals("2", config.getString("rest.port", ""));
    assertEquals("3", config.getString("parallelism.default", ""));
  }

  @Test
  void withoutAFileItIsTheCommandLineAlone() {
    assertEquals(Map.of("a", "b"), Standalone.configuration(null, Map.of("a", "b")).toMap());
    assertEquals(Map.of(), Standalone.configuration(dir.toString(), Map.of()).toMap());
  }
}
