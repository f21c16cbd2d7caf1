// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The fields of one entry by name; the last of two with the same name counts. */
final class Fields {
  private final Map<String, byte[]> values;

  Fields(List<byte[]> alternating) {
    values = new HashMap<>(alternating.size());
    for (int i = 0; i + 1 < alternating.size(); i += 2) {
      values.put(Entry.text(alternating.get(i)), alternating.get(i + 1));
    }
  }

  boolean has(String name) {
    return values.containsKey(name) && values.get(name).length > 0;
  }

  /** Null when there is no such field. */
  byte[] bytes(String name) {
    return values.get(name);
  }

  /** Empty when there is no such field. */
  String text(String name) throws Defect {
    byte[] value = values.get(name);
    if (value == null) {
      return "";
    }
    String text = Entry.text(value);
    if (isReplaced(text, value)) {
      throw new Defect("The field " + name + " is not UTF-8.");
    }
    return text;
  }

  /** A text of at most so many bytes. */
  String text(String name, int most) throws Defect {
    byte[] value = values.get(name);
    if (value != null && value.length > most) {
      throw new Defect("The field " + name + " is longer than " + most + " bytes.");
    }
    return text(name);
  }

  /** Empty when there is no such field, or none that makes sense. */
  String textOrNothing(String name, int most) {
    try {
      return text(name, most);
    } catch (Defect e) {
      return "";
    }
  }

  /** Whether bytes that are no UTF-8 were replaced: so that two different ids never become one. */
  private static boolean isReplaced(String text, byte[] value) {
    return text.indexOf('\uFFFD') >= 0 && !Arrays.equals(text.getBytes(StandardCharsets.UTF_8), value);
  }

  long number(String name, long least, long most, long otherwise) throws Defect {
    if (!has(name)) {
      return otherwise;
    }
    try {
      long number = Long.parseLong(text(name));
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    String range = least == 0 ? "a whole number from 0" : "a whole number";
    throw new Defect("The field " + name + " must be " + range + (most == Integer.MAX_VALUE ? " of 32 bits." : "."));
  }
}
