// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may know whom. */
@AnalyzeClasses(packages = "io.scurry.job", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule REDIS_IS_SPOKEN_IN_ONE_PACKAGE =
      noClasses().that().resideOutsideOfPackage("io.scurry.job.redis..")
          .should().dependOnClassesThat().resideInAPackage("redis.clients.jedis..");

  @ArchTest
  static final ArchRule SIBLINGS_DO_NOT_KNOW_EACH_OTHER =
      noClasses().that().resideInAPackage("io.scurry.job.redis..")
          .should().dependOnClassesThat().resideInAPackage("io.scurry.job.transport..");

  @ArchTest
  static final ArchRule NOR_THE_OTHER_WAY =
      noClasses().that().resideInAPackage("io.scurry.job.transport..")
          .should().dependOnClassesThat().resideInAPackage("io.scurry.job.redis..");

  @ArchTest
  static final ArchRule THE_LAUNCHER_FINDS_EXTENSIONS_BY_THEIR_SERVICE_FILE =
      noClasses().that().resideInAPackage("io.scurry.job")
          .should().dependOnClassesThat().resideInAnyPackage("io.scurry.job.redis..", "io.scurry.job.transport..");
}
