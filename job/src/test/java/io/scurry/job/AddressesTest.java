// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Addresses are read as the table says that Python is held to as well. */
class AddressesTest {
  private static List<JsonNode> table(String part) throws IOException {
    JsonNode table = new ObjectMapper().readTree(Path.of("../tests/vectors/addresses.json").toFile()).get(part);
    return StreamSupport.stream(table.spliterator(), false).collect(Collectors.toList());
  }

  static Stream<JsonNode> good() throws IOException {
    return table("good").stream();
  }

  static Stream<String> bad() throws IOException {
    return table("bad").stream().map(JsonNode::asText);
  }

  private static String text(JsonNode row, String name) {
    return row.hasNonNull(name) ? row.get(name).asText() : null;
  }

  @ParameterizedTest
  @MethodSource("good")
  void whatIsAnAddressComesApartAndTogetherAgain(JsonNode row) {
    Addresses address = Addresses.parse(row.get("text").asText());
    assertEquals(row.get("kind").asText().toUpperCase(), address.kind.name());
    assertEquals(text(row, "model"), address.model);
    assertEquals(text(row, "version"), address.version);
    assertEquals(text(row, "lane"), address.lane == null ? null : address.lane.toString());
    assertEquals(row.has("token") ? text(row, "token") : text(row, "id"), address.token);
    assertEquals(row.get("text").asText(), address.toString());
  }

  @ParameterizedTest
  @MethodSource("bad")
  void whatIsNoneIsNull(String text) {
    assertNull(Addresses.parse(text));
  }
}
