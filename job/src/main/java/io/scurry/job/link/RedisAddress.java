// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import io.scurry.job.Misconfigured;
import java.io.IOException;
import java.io.Serializable;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLParameters;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * Where Redis is and how to enter it, from one URL that our Python processes understand too.
 *
 * <p>{@code redis[s]://[user[:password]@]host[:port][/database][?ssl_ca_certs=FILE&ssl_cert_reqs=none]}; user and
 * password are percent-encoded. {@code rediss} is TLS: the server's certificate must be signed by the JVM's trust
 * store or by {@code ssl_ca_certs}, and name the host, unless {@code ssl_cert_reqs=none}. With {@code
 * password_file=FILE} the password is the file's first line, read with each connection; the login is then the user.
 *
 * <p>{@code redis[s]+sentinel://[user[:password]@]host[:26379],host…/master[/database]} asks Sentinels for the master
 * of that name, with each connection; they may want {@code sentinel_username} and {@code sentinel_password}, or {@code
 * sentinel_password_file}.
 */
public final class RedisAddress implements Serializable {
  private static final long serialVersionUID = 2L;
  /** Not {@code java.net.URI}, which knows one host. */
  private static final Pattern URL = Pattern.compile(
      "(?<scheme>rediss?(\\+sentinel)?)://(?<authority>[^/?#]+)(?<path>/[^?#]*|)(\\?(?<query>[^#]*))?");
  private static final String SENTINEL = "+sentinel";
  private static final int PORT = 6379;
  private static final int SENTINEL_PORT = 26379;

  final String host;
  final int port;
  final int database;
  final String user;
  final String password;
  final String passwordFile;
  final boolean tls;
  final boolean verify;
  final String authorities;
  /** Which master the sentinels are asked for; null without them. */
  final String master;
  private final boolean isGuarded;
  private final ArrayList<String> nodes;
  private final String sentinelUser;
  private final String sentinelPassword;
  private final String sentinelPasswordFile;

  private RedisAddress(String scheme, String authority, String path, Map<String, String> query) {
    int at = authority.lastIndexOf('@');
    boolean guarded = scheme.endsWith(SENTINEL);
    String[] login = login(at < 0 ? "" : authority.substring(0, at), query.containsKey("password_file"));
    String[] parts = path.replaceFirst("^/", "").split("/", guarded ? 2 : 1);
    this.isGuarded = guarded;
    this.nodes = nodes(authority.substring(at + 1), guarded);
    this.host = node(0).getHost();
    this.port = node(0).getPort();
    this.master = guarded ? decoded(parts[0]) : null;
    this.database = database(guarded ? parts.length < 2 ? "" : parts[1] : parts[0]);
    this.user = login[0];
    this.password = login[1];
    this.passwordFile = query.get("password_file");
    this.tls = scheme.startsWith("rediss");
    this.verify = !"none".equals(query.get("ssl_cert_reqs"));
    this.authorities = query.get("ssl_ca_certs");
    this.sentinelUser = query.get("sentinel_username");
    this.sentinelPassword = query.get("sentinel_password");
    this.sentinelPasswordFile = query.get("sentinel_password_file");
    if (guarded && master.isEmpty()) {
      throw new Misconfigured("The Redis address must name the Sentinels' master: redis+sentinel://host:26379/master.");
    }
  }

  public static RedisAddress parse(String url) {
    Matcher parts = URL.matcher(url.trim());
    if (!parts.matches()) {
      throw new Misconfigured("The Redis address must look like redis://host:6379/0, rediss://user:password@host or"
          + " redis+sentinel://host:26379,host/master.");
    }
    Map<String, String> query = query(parts.group("query"));
    if (query.containsKey("ssl_certfile") || query.containsKey("ssl_keyfile")) {
      throw new Misconfigured("Client certificates in the Redis address are not supported by the job.");
    }
    return new RedisAddress(parts.group("scheme"), parts.group("authority"), parts.group("path"), query);
  }

  /** Sentinels may be many, Redis is one. */
  private static ArrayList<String> nodes(String places, boolean guarded) {
    ArrayList<String> nodes = new ArrayList<>(List.of(places.split(",", guarded ? -1 : 1)));
    for (String node : nodes) {
      if (!node.matches("(\\[[0-9a-fA-F:.]+\\]|[^:,@\\[\\]\\s]+)(:\\d{1,5})?")) {
        throw new Misconfigured("The Redis address names the host '" + node + "', which is none.");
      }
    }
    return nodes;
  }

  private HostAndPort node(int index) {
    String node = nodes.get(index);
    int colon = node.lastIndexOf(':');
    boolean hasPort = colon > node.lastIndexOf(']');
    return new HostAndPort((hasPort ? node.substring(0, colon) : node).replaceAll("[\\[\\]]", ""),
        hasPort ? Integer.parseInt(node.substring(colon + 1)) : isGuarded ? SENTINEL_PORT : PORT);
  }

  private static String[] login(String userInfo, boolean hasFile) {
    if (userInfo.isEmpty()) {
      return new String[] {null, null};
    }
    int colon = userInfo.indexOf(':');
    if (colon < 0) {
      return hasFile ? new String[] {decoded(userInfo), null} : new String[] {null, decoded(userInfo)};
    }
    String user = decoded(userInfo.substring(0, colon));
    return new String[] {user.isEmpty() ? null : user, decoded(userInfo.substring(colon + 1))};
  }

  private static int database(String path) {
    String digits = path.replaceFirst("/$", "");
    if (!digits.matches("\\d{0,6}")) {
      throw new Misconfigured("The Redis address names the database '" + digits + "', which is not a number.");
    }
    return digits.isEmpty() ? 0 : Integer.parseInt(digits);
  }

  private static Map<String, String> query(String raw) {
    Map<String, String> query = new HashMap<>();
    for (String pair : raw == null ? new String[0] : raw.split("&")) {
      String[] parts = pair.split("=", 2);
      query.put(parts[0], parts.length == 2 ? decoded(parts[1]) : "");
    }
    return query;
  }

  private static String decoded(String text) {
    try {
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new Misconfigured("The Redis address holds a % that is no percent-encoding.");
    }
  }

  /** Where Redis is, or the Sentinel to be asked first. */
  HostAndPort node() {
    return node(0);
  }

  /** The Sentinels; empty without them. */
  List<HostAndPort> sentinels() {
    List<HostAndPort> found = new ArrayList<>();
    for (int i = 0; isGuarded && i < nodes.size(); i++) {
      found.add(node(i));
    }
    return found;
  }

  /** Jedis' configuration; times in milliseconds, {@code blocking} for commands that wait. */
  DefaultJedisClientConfig client(String name, int timeout, int blocking) {
    return secured(plain(name, timeout, blocking)
        .user(user)
        .password(secret(password, passwordFile))
        .database(database)).build();
  }

  /** The same for a Sentinel, which has users and passwords of its own. */
  DefaultJedisClientConfig sentinel(String name, int timeout) {
    return secured(plain(name, timeout, timeout)
        .user(sentinelUser)
        .password(secret(sentinelPassword, sentinelPasswordFile))).build();
  }

  /** A file that is not there yet passes, as a Redis that is not. */
  private static String secret(String given, String file) {
    if (file == null) {
      return given;
    }
    try {
      return Files.readString(Path.of(file)).split("\\R", 2)[0];
    } catch (IOException e) {
      throw new JedisConnectionException("The password file " + file + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static DefaultJedisClientConfig.Builder plain(String name, int timeout, int blocking) {
    return
        DefaultJedisClientConfig.builder()
            .connectionTimeoutMillis(timeout)
            .socketTimeoutMillis(timeout)
            .blockingSocketTimeoutMillis(blocking)
            .clientName(name)
            .clientSetInfoConfig(ClientSetInfoConfig.DISABLED);
  }

  private DefaultJedisClientConfig.Builder secured(DefaultJedisClientConfig.Builder builder) {
    builder.ssl(tls);
    if (tls && verify) {
      SSLParameters parameters = new SSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      builder.sslParameters(parameters);
    }
    if (tls && (!verify || authorities != null)) {
      builder.sslSocketFactory(Trust.sockets(verify, authorities));
    }
    return builder;
  }

  /** Never shows the password. */
  @Override
  public String toString() {
    String login = password == null && passwordFile == null ? "" : (user == null ? "" : user) + ":***@";
    String place = isGuarded ? String.join(",", nodes) + "/" + master : host + ":" + port;
    return (tls ? "rediss" : "redis") + (isGuarded ? SENTINEL : "") + "://" + login + place + "/" + database;
  }
}
