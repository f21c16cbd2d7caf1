// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.scurry.job.Misconfigured;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Properties are read strictly, and mistakes answered with a sentence. */
class TransportSettingsTest {
  private static final URI ENDPOINT = URI.create("http://functions:8100");

  private static TransportSettings settings(String... pairs) {
    ObjectNode properties = new ObjectMapper().createObjectNode();
    for (int i = 0; i < pairs.length; i += 2) {
      properties.put(pairs[i], pairs[i + 1]);
    }
    return TransportSettings.of(properties, ENDPOINT);
  }

  @Test
  void withoutPropertiesTheEndpointIsTheAddressAndCallsAreRetried() {
    TransportSettings settings = settings();
    assertEquals(List.of(ENDPOINT), settings.addresses);
    assertFalse(settings.bounces());
    assertEquals(Duration.ofSeconds(10), settings.silence);
    assertEquals(2, settings.window);
    assertFalse(settings.isEncrypted());
  }

  @Test
  void propertiesAndPlaceholdersAreRead() {
    TransportSettings settings = settings(
        "type", "scurry.transports.v1/workers",
        "addresses", "${NO_SUCH_SETTING:http://a:1, https://b:2/base}",
        "failure", "bounce",
        "silence", "250ms",
        "window", "3");
    assertEquals(List.of(URI.create("http://a:1"), URI.create("https://b:2/base")), settings.addresses);
    assertTrue(settings.bounces());
    assertTrue(settings.isEncrypted());
    assertEquals(Duration.ofMillis(250), settings.silence);
    assertEquals(3, settings.window);
  }

  @Test
  void certificatesThatAreNotNamedAreNone() {
    TransportSettings settings = settings(
        "trust_cacerts", "${NO_SUCH_SETTING:}", "client_cert", "${NO_SUCH_SETTING:}", "client_key", "${NO_SUCH_SETTING:}");
    assertNull(settings.trustCaCerts);
    assertNull(settings.clientCert);
    assertNull(settings.clientKey);
    assertEquals(settings(), settings);
  }

  @Test
  void equalPropertiesAreEqualSettings() {
    assertEquals(settings("window", "3"), settings("window", "3"));
    assertEquals(settings("window", "3").hashCode(), settings("window", "3").hashCode());
    assertNotEquals(settings("window", "3"), settings("window", "4"));
  }

  @ParameterizedTest
  @CsvSource({
    "addresses, ftp://a:1", "addresses, a:1", "addresses, ','", "addresses, http://a b", "failure, panic",
    "silence, soon", "silence, 0s", "window, 0", "window, -1", "max_calls, many", "wndow, 2",
  })
  void mistakesAreNamed(String name, String value) {
    String message = assertThrows(Misconfigured.class, () -> settings(name, value)).getMessage();
    assertTrue(message.contains(name.equals("addresses") ? "address" : name), message);
  }
}
