// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How module.yaml is read. */
class ModuleTextTest {
  @TempDir Path dir;

  private String read(String yaml) throws IOException {
    return ModuleText.read(Files.writeString(dir.resolve("m.yaml"), yaml).toString()).text();
  }

  @Test
  void placeholdersAreResolvedInEveryValueAndIgnoredInComments() throws IOException {
    String text = read("# ${NOT_SET}\nkind: a/b\nspec:\n  x: ${SCURRY_NO_SUCH:1}\n  y: [\"${SCURRY_NO_SUCH:a: b}\"]\n");
    assertEquals("---\n{\"kind\":\"a/b\",\"spec\":{\"x\":\"1\",\"y\":[\"a: b\"]}}\n", text);
  }

  @Test
  void everyDocumentIsKept() throws IOException {
    assertEquals(2, read("kind: a/b\nspec: {}\n---\nkind: c/d\nspec: {}\n").split("---\n").length - 1);
  }

  @Test
  void theModuleOfThisRepositoryIsReadable() {
    String text = ModuleText.read("../module.yaml").text();
    assertTrue(text.contains(Names.INGRESS_KIND) && text.contains(Names.EGRESS_KIND) && text.contains(Names.TRANSPORT));
    assertTrue(text.contains("\"" + Names.INGRESS + "\"") && text.contains("\"" + Names.EGRESS + "\""));
  }

  @Test
  void missingAndBrokenFilesAreMisconfigured() {
    assertThrows(Misconfigured.class, () -> ModuleText.read(dir.resolve("none.yaml").toString()));
    assertThrows(Misconfigured.class, () -> ModuleText.read("classpath:none.yaml"));
    assertThrows(Misconfigured.class, () -> read("kind: [\n"));
  }
}
