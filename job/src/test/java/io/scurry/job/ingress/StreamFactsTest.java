// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

/** When a position cannot be continued without loss. */
class StreamFactsTest {
  private static final EntryId LAST = EntryId.parse("9-0");

  @Test
  void aStreamThatWasEmptiedBeforeTheJobFirstSawItHasNoGap() {
    Position start = new Position("s", EntryId.ZERO, 100);
    assertNull(new StreamFacts(true, 0, LAST, 100).gap(start, false));
    assertEquals("1 entries were trimmed before the first was read",
        new StreamFacts(true, 0, LAST, 101).gap(start, false));
  }

  @Test
  void anAnchorOrAnUnchangedEndIsNoGap() {
    Position read = new Position("s", LAST, 3);
    assertNull(new StreamFacts(true, 0, LAST, 3).gap(read, false));
    assertNull(new StreamFacts(true, 5, EntryId.parse("10-0"), 8).gap(read, true));
    assertNotNull(new StreamFacts(true, 5, EntryId.parse("10-0"), 8).gap(read, false));
    assertNotNull(new StreamFacts(false, 0, EntryId.ZERO, 0).gap(read, false));
    assertNotNull(new StreamFacts(true, 1, EntryId.parse("8-0"), 1).gap(read, true));
  }
}
