// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import io.scurry.job.Misconfigured;
import io.scurry.job.Placeholders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.util.TimeUtils;

/** Reads a component's spec from module.yaml: placeholders replaced, ranges held, unknown fields refused. */
public final class SpecReader {
  private final String kind;
  private final JsonNode spec;
  private final List<String> known = new ArrayList<>();

  public SpecReader(String kind, JsonNode spec) {
    this.kind = kind;
    this.spec = spec;
  }

  /** A text; without a default ({@code null}) it must be there. */
  public String text(String field, String otherwise) {
    known.add(field);
    JsonNode node = spec.get(field);
    String text = node == null || node.isNull() ? "" : Placeholders.resolve(node.asText()).trim();
    if (!text.isEmpty()) {
      return text;
    }
    if (otherwise == null) {
      throw new Misconfigured("The spec of " + kind + " lacks '" + field + "'.");
    }
    return otherwise;
  }

  public int number(String field, int otherwise, int least, int most) {
    String text = text(field, Integer.toString(otherwise));
    try {
      int number = Integer.parseInt(text);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw wrong(field, text, "a number from " + least + " to " + most);
  }

  public Duration duration(String field, String otherwise) {
    String text = text(field, otherwise);
    try {
      return TimeUtils.parseDuration(text);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw wrong(field, text, "a duration such as 30s or 5min");
    }
  }

  public long bytes(String field, String otherwise) {
    String text = text(field, otherwise);
    try {
      return MemorySize.parse(text).getBytes();
    } catch (IllegalArgumentException e) {
      throw wrong(field, text, "a size such as 512mb");
    }
  }

  /** Refuses what nobody asked for: a misspelt field is better found now. */
  public void finish() {
    for (Iterator<String> names = spec.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!known.contains(name)) {
        throw new Misconfigured("The spec of " + kind + " has the unknown field '" + name + "'; known are "
            + String.join(", ", known) + ".");
      }
    }
  }

  private Misconfigured wrong(String field, String text, String expected) {
    return new Misconfigured("The field " + field + " of " + kind + " is '" + text + "', not " + expected + ".");
  }
}
