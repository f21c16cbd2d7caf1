// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What an earlier run may have answered. */
class BacklogTest {
  private static Entry entry(String stream, String id) {
    return new Entry(stream, id, List.of());
  }

  @Test
  void endsWithTheLastEntryThatStoodThere() {
    Backlog backlog = new Backlog(Map.of("a", EntryId.parse("5-1"), "b", EntryId.parse("7-0")));
    assertTrue(backlog.holds(List.of(entry("a", "5-0"), entry("a", "5-1"))));
    assertTrue(backlog.holds(List.of(entry("a", "5-2"), entry("b", "6-9"))));
    assertFalse(backlog.holds(List.of(entry("a", "5-3"))));
    assertFalse(backlog.holds(List.of(entry("b", "7-1"))));
    assertEquals("<Backlog up to {}>", backlog.toString());
  }

  @Test
  void aStreamThatCameLaterHasNone() {
    assertFalse(new Backlog(Map.of()).holds(List.of(entry("a", "1-0"))));
  }
}
