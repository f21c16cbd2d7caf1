// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import io.scurry.job.Misconfigured;
import java.io.InputStream;
import java.io.Serializable;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;

/**
 * Where Redis is and how to enter it, from one URL that redis-py understands too.
 *
 * <p>{@code redis[s]://[user[:password]@]host[:port][/database][?ssl_ca_certs=FILE&ssl_cert_reqs=none]}; user and
 * password are percent-encoded. {@code rediss} is TLS: the server's certificate must be signed by the JVM's trust
 * store or by {@code ssl_ca_certs}, and name the host, unless {@code ssl_cert_reqs=none}.
 */
public final class RedisAddress implements Serializable {
  private static final long serialVersionUID = 1L;

  final String host;
  final int port;
  final int database;
  final String user;
  final String password;
  final boolean tls;
  final boolean verify;
  final String authorities;

  private RedisAddress(URI uri, String[] login, int database, Map<String, String> query) {
    this.host = uri.getHost().replaceAll("[\\[\\]]", "");
    this.port = uri.getPort() < 0 ? 6379 : uri.getPort();
    this.database = database;
    this.user = login[0];
    this.password = login[1];
    this.tls = uri.getScheme().equals("rediss");
    this.verify = !"none".equals(query.get("ssl_cert_reqs"));
    this.authorities = query.get("ssl_ca_certs");
  }

  public static RedisAddress parse(String url) {
    URI uri = uri(url);
    Map<String, String> query = query(uri.getRawQuery());
    if (query.containsKey("ssl_certfile") || query.containsKey("ssl_keyfile")) {
      throw new Misconfigured("Client certificates in the Redis address are not supported by the job.");
    }
    return new RedisAddress(uri, login(uri.getRawUserInfo()), database(uri.getPath()), query);
  }

  private static URI uri(String url) {
    URI uri;
    try {
      uri = new URI(url.trim());
    } catch (URISyntaxException e) {
      throw new Misconfigured("The Redis address is not a URL: " + e.getReason() + ".");
    }
    if (!"redis".equals(uri.getScheme()) && !"rediss".equals(uri.getScheme()) || uri.getHost() == null) {
      throw new Misconfigured("The Redis address must look like redis://host:6379/0 or rediss://user:password@host.");
    }
    return uri;
  }

  private static String[] login(String userInfo) {
    if (userInfo == null || userInfo.isEmpty()) {
      return new String[] {null, null};
    }
    int colon = userInfo.indexOf(':');
    if (colon < 0) {
      return new String[] {null, decoded(userInfo)};
    }
    String user = decoded(userInfo.substring(0, colon));
    return new String[] {user.isEmpty() ? null : user, decoded(userInfo.substring(colon + 1))};
  }

  private static int database(String path) {
    String digits = path == null ? "" : path.replaceFirst("^/", "");
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
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  HostAndPort node() {
    return new HostAndPort(host, port);
  }

  /** Jedis' configuration; times in milliseconds, {@code blocking} for commands that wait. */
  DefaultJedisClientConfig client(String name, int timeout, int blocking) {
    DefaultJedisClientConfig.Builder builder =
        DefaultJedisClientConfig.builder()
            .connectionTimeoutMillis(timeout)
            .socketTimeoutMillis(timeout)
            .blockingSocketTimeoutMillis(blocking)
            .clientName(name)
            .clientSetInfoConfig(ClientSetInfoConfig.DISABLED)
            .user(user)
            .password(password)
            .database(database)
            .ssl(tls);
    if (tls && verify) {
      SSLParameters parameters = new SSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      builder.sslParameters(parameters);
    }
    if (tls && (!verify || authorities != null)) {
      builder.sslSocketFactory(sockets());
    }
    return builder.build();
  }

  private SSLSocketFactory sockets() {
    try {
      TrustManager[] trust = verify ? trust(authorities) : new TrustManager[] {new TrustEverybody()};
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust, new SecureRandom());
      return context.getSocketFactory();
    } catch (Exception e) {
      throw new Misconfigured("The certificates in " + authorities + " cannot be used: " + e.getMessage() + ".");
    }
  }

  private static TrustManager[] trust(String file) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        store.setCertificateEntry("authority-" + store.size(), certificate);
      }
    }
    TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  /** Never shows the password. */
  @Override
  public String toString() {
    String login = password == null ? "" : (user == null ? "" : user) + ":***@";
    return (tls ? "rediss://" : "redis://") + login + host + ":" + port + "/" + database;
  }
}
