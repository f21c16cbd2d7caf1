// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code ${NAME:default}} becomes. */
class PlaceholdersTest {
  private static final Map<String, String> VALUES = Map.of("A", "1", "URL", "redis://h:1/0", "EMPTY", "");

  @ParameterizedTest
  @CsvSource({
    "plain, plain",
    "${A}, 1",
    "${A:2}, 1",
    "x${A}y${A}z, x1y1z",
    "${B:2}, 2",
    "${B:}, ''",
    "${EMPTY:2}, 2",
    "${B:redis://127.0.0.1:6379/0}, redis://127.0.0.1:6379/0",
    "${B:{scurry}}, {scurry}",
    "'${B:{a}{b}}/${URL}', '{a}{b}/redis://h:1/0'",
    "$A {A}, $A {A}",
  })
  void isReplacedByItsValueOrItsDefault(String text, String expected) {
    assertEquals(expected, Placeholders.resolve(text, VALUES::get));
  }

  @Test
  void aFileStandsInForAValueThatIsNotSet(@TempDir Path folder) throws IOException {
    Map<String, String> values = Map.of("A", "1", "A_FILE", "/none", "B_FILE",
        Files.writeString(folder.resolve("b"), "redis://h\n").toString(), "C_FILE", "/no/such/file");
    assertEquals("1 redis://h", Placeholders.resolve("${A} ${B:x}", values::get));
    Misconfigured e = assertThrows(Misconfigured.class, () -> Placeholders.resolve("${C:x}", values::get));
    assertEquals("The file that C_FILE names cannot be read: /no/such/file.", e.getMessage());
  }

  @Test
  void withoutValueAndDefaultIsMisconfigured() {
    Misconfigured e = assertThrows(Misconfigured.class, () -> Placeholders.resolve("${B}", VALUES::get));
    assertEquals("The variable B is not set and has no default.", e.getMessage());
  }

  @Test
  void withoutClosingBraceIsMisconfigured() {
    assertThrows(Misconfigured.class, () -> Placeholders.resolve("${B:{x}", VALUES::get));
  }

  @Test
  void systemPropertyWinsOverTheEnvironment() {
    System.setProperty("PATH", "mine");
    try {
      assertEquals("mine", Placeholders.resolve("${PATH}"));
    } finally {
      System.clearProperty("PATH");
    }
  }
}
