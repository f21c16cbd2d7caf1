// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An id says what is ranked, which rank is meant, and whether it travels alone. */
class FunctionKeyTest {

  @ParameterizedTest
  @CsvSource({
    "digits@1/0, digits@1, 0, false",
    "digits@1/15, digits@1, 15, false",
    "digits@1/16, digits@1, 0, false",
    "digits@1/33, digits@1, 1, false",
    "a.b-c_d@v2.1/3, a.b-c_d@v2.1, 3, false",
    "digits@1/solo/17-ab, digits@1, 0, true",
    "digits, digits, 0, false",
    "!, !, 0, false",
    "digits@1, digits@1, 0, false",
    "some/path, some/path, 0, false",
  })
  void idsAreUnderstood(String id, String ranked, int rank, boolean solo) {
    FunctionKey key = FunctionKey.parse(id);
    assertEquals(ranked, key.ranked);
    assertEquals(rank, key.rank);
    assertEquals(solo, key.solo);
  }

  @Test
  void sequencesStayOnOneOfTheTwoRanksThatHoldTheModel() {
    int[] counts = new int[2];
    for (int i = 0; i < 1000; i++) {
      FunctionKey key = FunctionKey.parse("digits@1/seq/" + i);
      assertEquals("digits@1", key.ranked);
      assertTrue(key.sequence && !key.apart());
      counts[key.rank]++;
    }
    assertEquals(500, counts[0], 60);
  }

  @Test
  void loadsGoWhereTheirLaneGoesAndBehindNobody() {
    FunctionKey key = FunctionKey.parse("digits@1/load/3");
    assertEquals("digits@1", key.ranked);
    assertEquals(3, key.rank);
    assertTrue(key.load && key.apart() && !key.solo && !key.everywhere);
    assertTrue(FunctionKey.parse("digits@1/load/all").everywhere);
    assertFalse(FunctionKey.parse("digits@1/3").apart());
    assertFalse(FunctionKey.parse("digits@1/3").sequence);
  }

  @Test
  void theModelIsWhatStandsBeforeTheVersion() {
    assertEquals("digits", FunctionKey.model("digits@1/0"));
    assertEquals("digits", FunctionKey.model("digits"));
  }
}
