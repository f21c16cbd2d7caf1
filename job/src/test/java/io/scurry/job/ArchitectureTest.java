// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Who may know whom, and how large anything may grow. */
@AnalyzeClasses(packages = "io.scurry.job", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  private static final int LONGEST_FILE = 250;
  private static final Path SOURCES = Path.of("src/main/java");

  @ArchTest
  static final ArchRule LAYERS =
      layeredArchitecture().consideringOnlyDependenciesInLayers()
          .layer("launcher").definedBy("io.scurry.job")
          .layer("link").definedBy("io.scurry.job.link..")
          .layer("ingress").definedBy("io.scurry.job.ingress..")
          .layer("egress").definedBy("io.scurry.job.egress..")
          .layer("transport").definedBy("io.scurry.job.transport..")
          .whereLayer("link").mayOnlyBeAccessedByLayers("ingress", "egress")
          .whereLayer("ingress").mayNotBeAccessedByAnyLayer()
          .whereLayer("egress").mayNotBeAccessedByAnyLayer()
          .whereLayer("transport").mayNotBeAccessedByAnyLayer();

  @ArchTest
  static final ArchRule REDIS_IS_SPOKEN_IN_THREE_PACKAGES =
      noClasses().that().resideOutsideOfPackages("io.scurry.job.link..", "io.scurry.job.ingress..",
          "io.scurry.job.egress..").should().dependOnClassesThat().resideInAPackage("redis.clients.jedis..");

  @Test
  void noFileIsLongerThan250Lines() throws IOException {
    List<String> tooLong = new ArrayList<>();
    try (Stream<Path> files = Files.walk(SOURCES)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".java")).collect(Collectors.toList())) {
        long lines = Files.readAllLines(file).size();
        if (lines > LONGEST_FILE) {
          tooLong.add(file.getFileName() + ": " + lines);
        }
      }
    }
    assertEquals(List.of(), tooLong);
  }
}
