// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import io.scurry.job.Misconfigured;
import io.scurry.job.Placeholders;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.util.TimeUtils;

/**
 * What the properties of a {@code transport:} say; equal settings share their processes and connections.
 *
 * <pre>
 * transport:
 *   type: scurry.transports.v1/workers
 *   addresses: http://w-0:8110,http://w-1:8110   base URLs; a name with several addresses is one process each
 *                                                (default: the endpoint's urlPathTemplate)
 *   failure: bounce        bounce: what a lost process held goes back to its sender; retry: asked until answered (default)
 *   silence: 10s           a process that sends nothing for so long while it is asked something is lost
 *   connect: 2s            limit for a connection, and for the answer to a health check
 *   connect_patience: 30s  bounce: how long a call waits while no process can be reached
 *   resolve: 5s            how often names are looked up again
 *   idle: 20s              unused connections are closed after so long
 *   window: 2              exchanges in flight to one process, those that are late not counted
 *   late: 10ms             age at which an exchange no longer holds up the next
 *   max_calls: 1024        calls in one exchange
 *   max_bytes: 4194304     bytes in one exchange, unless a single call has more
 *   max_frame: 67108864    bytes in one answer
 *   connections: 512       open connections to one process
 *   trust_cacerts: FILE    https: certificates to trust (default: those of Java)
 *   client_cert: FILE      https: our own certificate chain
 *   client_key: FILE       https: its key, PKCS#8
 *   client_key_password: … https: what the key is locked with
 * </pre>
 *
 * <p>Every value may hold placeholders as in {@code ${SCURRY_WORKERS:http://127.0.0.1:8110}}; one that is empty then
 * counts as not set. Certificates are read again when their files have changed.
 */
final class TransportSettings {
  private static final Set<String> KNOWN = Set.of(
      "type", "addresses", "failure", "silence", "connect", "connect_patience", "resolve", "idle", "window", "late",
      "max_calls", "max_bytes", "max_frame", "connections", "trust_cacerts", "client_cert", "client_key",
      "client_key_password");

  /** What becomes of a call whose process was lost. */
  enum Failure {
    RETRY,
    BOUNCE
  }

  final List<URI> addresses;
  final Failure failure;
  final Duration silence;
  final Duration connect;
  final Duration connectPatience;
  final Duration resolve;
  final Duration idle;
  final Duration late;
  final int window;
  final int maxCalls;
  final int maxBytes;
  final int maxFrame;
  final int connections;
  final String trustCaCerts;
  final String clientCert;
  final String clientKey;
  final String clientKeyPassword;
  private final TreeMap<String, String> values;

  private TransportSettings(TreeMap<String, String> values) {
    this.values = values;
    addresses = addresses(values.get("addresses"));
    failure = failure(values.getOrDefault("failure", "retry"));
    silence = duration("silence", "10s");
    connect = duration("connect", "2s");
    connectPatience = duration("connect_patience", "30s");
    resolve = duration("resolve", "5s");
    idle = duration("idle", "20s");
    late = duration("late", "10ms");
    window = number("window", 2);
    maxCalls = number("max_calls", 1024);
    maxBytes = number("max_bytes", 4 << 20);
    maxFrame = number("max_frame", 64 << 20);
    connections = number("connections", 512);
    trustCaCerts = values.get("trust_cacerts");
    clientCert = values.get("client_cert");
    clientKey = values.get("client_key");
    clientKeyPassword = values.get("client_key_password");
  }

  /** Reads the properties; throws {@link Misconfigured} when they make no sense. */
  static TransportSettings of(ObjectNode properties, URI endpoint) {
    TreeMap<String, String> values = new TreeMap<>();
    for (Iterator<String> names = properties.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      String value = Placeholders.resolve(properties.get(name).asText()).trim();
      if (!value.isEmpty()) {
        values.put(name, value);
      }
    }
    TreeSet<String> unknown = new TreeSet<>(values.keySet());
    unknown.removeAll(KNOWN);
    if (!unknown.isEmpty()) {
      throw new Misconfigured("The transport knows no " + unknown + ", only " + new TreeSet<>(KNOWN) + ".");
    }
    values.remove("type");
    values.putIfAbsent("addresses", endpoint.toString());
    return new TransportSettings(values);
  }

  boolean bounces() {
    return failure == Failure.BOUNCE;
  }

  boolean isEncrypted() {
    return addresses.stream().anyMatch(address -> address.getScheme().equals("https"));
  }

  private static Failure failure(String text) {
    for (Failure failure : Failure.values()) {
      if (failure.name().equalsIgnoreCase(text)) {
        return failure;
      }
    }
    throw new Misconfigured("The transport's failure is retry or bounce, not " + text + ".");
  }

  private Duration duration(String name, String fallback) {
    String text = values.getOrDefault(name, fallback);
    try {
      Duration duration = TimeUtils.parseDuration(text);
      if (!duration.isZero()) {
        return duration;
      }
    } catch (IllegalArgumentException e) {
      // Falls through to the sentence below.
    }
    throw new Misconfigured("The transport's " + name + " is a duration such as " + fallback + ", not " + text + ".");
  }

  private int number(String name, int fallback) {
    String text = values.getOrDefault(name, Integer.toString(fallback));
    if (text.matches("[1-9][0-9]{0,8}")) {
      return Integer.parseInt(text);
    }
    throw new Misconfigured("The transport's " + name + " is a number from 1, not " + text + ".");
  }

  private static List<URI> addresses(String text) {
    List<URI> addresses = new ArrayList<>();
    for (String part : text.split(",")) {
      if (!part.isBlank()) {
        addresses.add(address(part.trim()));
      }
    }
    if (addresses.isEmpty()) {
      throw new Misconfigured("The transport's addresses name no process.");
    }
    return List.copyOf(addresses);
  }

  private static URI address(String text) {
    try {
      URI uri = new URI(text);
      if (Set.of("http", "https").contains(String.valueOf(uri.getScheme())) && uri.getHost() != null) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // Falls through to the sentence below.
    }
    throw new Misconfigured("The transport's address " + text + " is no http:// or https:// URL.");
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TransportSettings && ((TransportSettings) other).values.equals(values);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  @Override
  public String toString() {
    return "<Transport " + failure + " " + addresses + ">";
  }
}
