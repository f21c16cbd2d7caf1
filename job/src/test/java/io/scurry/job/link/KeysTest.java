// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which keys are whose. */
class KeysTest {
  private final Keys keys = new Keys("{s}");

  @ParameterizedTest
  @CsvSource({"a, {s}:payload:a:in:x", "a:in, {s}:payload:a:in:in:x", "a, {s}:payload:a:out:1f:y", "a:out, {s}:payload:a:out:in:y", "é, {s}:payload:é:in:é"})
  void whatIsParkedUnderAnIdIsItsOwn(String id, String key) {
    assertTrue(keys.owns(id, key));
  }

  @ParameterizedTest
  @CsvSource({"a:in, {s}:payload:a:in:x", "a, {s}:payload:ab:in:x", "a, {s}:payload:a:in:", "a, {s}:payload:a:",
      "a, {s}:payload:a", "a, {s}:payload:a:b:in:x", "a, {s}:payload:a:out:y", "a:out:1f, {s}:payload:a:out:1f:y", "a, {s}:payload:a:out:in:y", "a, {s}:payload:a:out:r:y",
      "a, s:payload:a:in:x", "a, {s}:result:a", "'', {s}:payload:a:in:x"})
  void noOtherIdCanNameIt(String id, String key) {
    assertFalse(keys.owns(id, key));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{s}:requests", "{s}:replies:", "{s}:replies", "s:replies:c", "{s}:result:a", ""})
  void whatIsNoReplyStream(String name) {
    assertFalse(keys.isReplyStream(name));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 500})
  void replyStreams(int length) {
    assertTrue(keys.isReplyStream("{s}:replies:" + "x".repeat(length)));
    assertFalse(keys.isReplyStream("{s}:replies:" + "é".repeat(300)));
  }
}
