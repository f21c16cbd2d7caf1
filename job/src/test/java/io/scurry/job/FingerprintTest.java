// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a job was made of, and in what two differ. */
class FingerprintTest {
  @TempDir Path dir;

  private Fingerprint of(String address, Map<String, String> settings, String jar) throws Exception {
    Path file = Files.writeString(dir.resolve("module.yaml"), "kind: k\nspec:\n  addresses: " + address + "\n");
    return Fingerprint.of(ModuleText.read(file.toString()), Configuration.fromMap(settings), jar);
  }

  @Test
  void eachPartIsToldApart() throws Exception {
    Fingerprint one = of("http://a:1", Map.of("parallelism.default", "1", "rest.port", "1"), "x");
    assertEquals(List.of(), one.differences(of("http://a:1", Map.of("rest.port", "2"), "x")));
    assertEquals(List.of("module"), one.differences(of("http://b:1", Map.of(), "x")));
    assertEquals(List.of("parallelism"), one.differences(of("http://a:1", Map.of("parallelism.default", "2"), "x")));
    assertEquals(List.of("jar"), one.differences(of("http://a:1", Map.of(), "y")));
    Map<String, String> slower = Map.of("execution.checkpointing.interval", "1 min");
    assertEquals(List.of("settings"), one.differences(of("http://a:1", slower, "x")));
  }

  @Test
  void itGoesThroughTheJobsParametersBesideThoseOfTheUser() throws Exception {
    Configuration config = new Configuration();
    config.set(PipelineOptions.GLOBAL_JOB_PARAMETERS, Map.of("mine", "1"));
    Fingerprint one = of("redis://:secret@a:1", Map.of(), "x");
    one.writeTo(config);
    Map<String, String> parameters = config.get(PipelineOptions.GLOBAL_JOB_PARAMETERS);
    assertEquals("1", parameters.get("mine"));
    assertEquals(List.of(), Fingerprint.read(parameters).differences(one));
    assertFalse(parameters.toString().contains("secret"));
  }

  @Test
  void aJobThatTellsNothingDiffersInEverything() throws Exception {
    assertEquals(4, Fingerprint.read(Map.of()).differences(of("http://a:1", Map.of(), "x")).size());
  }
}
