// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import io.scurry.job.Misconfigured;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslContext;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslContextBuilder;
import org.apache.flink.statefun.flink.common.ResourceLocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Certificates for https, read from files or, with {@code classpath:}, from the jar.
 *
 * <p>Files are looked at when a connection is made and read again when they have changed. When they cannot be used that
 * is said once, and those of before hold on: half a renewal is no reason to ask nobody.
 */
final class Encryption {
  private static final Logger LOG = LoggerFactory.getLogger(Encryption.class);
  private static final String IN_JAR = "classpath:";
  private static final Map<String, String> SIGNATURES = Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA");

  private final TransportSettings settings;
  private final List<String> names = new ArrayList<>();
  private List<String> seen;
  private SslContext context;

  private Encryption(TransportSettings settings) {
    this.settings = settings;
    if ((settings.clientCert == null) != (settings.clientKey == null)) {
      throw new Misconfigured("The transport's client_cert and client_key go together.");
    }
    for (String name : new String[] {settings.trustCaCerts, settings.clientCert, settings.clientKey}) {
      if (name != null) {
        names.add(name);
      }
    }
    seen = stamps();
    context = read();
  }

  /** Reads the certificates; throws when they cannot be used. */
  static Encryption of(TransportSettings settings) {
    return new Encryption(settings);
  }

  /** For a new connection: of the files as they are now, or as they last could be used. */
  SslContext context() {
    List<String> stamps = stamps();
    if (!stamps.equals(seen)) {
      seen = stamps;
      try {
        context = read();
        LOG.info("Certificates were read again: {}", names);
      } catch (UncheckedIOException | Misconfigured e) {
        LOG.warn("{} Those of before hold on.", e.getMessage());
      }
    }
    return context;
  }

  private SslContext read() {
    SslContextBuilder builder = SslContextBuilder.forClient();
    try {
      if (settings.trustCaCerts != null) {
        builder.trustManager(Pem.chain(settings.trustCaCerts));
      }
      if (settings.clientCert != null) {
        X509Certificate[] chain = Pem.chain(settings.clientCert);
        PrivateKey key = Pem.key(settings.clientKey, settings.clientKeyPassword);
        if (!belongTogether(key, chain[0].getPublicKey())) {
          throw new Misconfigured(settings.clientKey + " is not the key of " + settings.clientCert + ".");
        }
        builder.keyManager(key, settings.clientKeyPassword, chain);
      }
      return builder.build();
    } catch (IOException e) {
      throw new UncheckedIOException("The transport's certificates cannot be read: " + e.getMessage() + ".", e);
    } catch (GeneralSecurityException e) {
      throw new Misconfigured("The transport cannot use " + names + ", which are to be PEM, keys PKCS#8: "
          + e.getMessage() + ".");
    }
  }

  private static boolean belongTogether(PrivateKey ours, PublicKey shown) throws GeneralSecurityException {
    String algorithm = SIGNATURES.get(ours.getAlgorithm());
    if (algorithm == null || !ours.getAlgorithm().equals(shown.getAlgorithm())) {
      return algorithm == null;
    }
    byte[] text = new byte[32];
    Signature signature = Signature.getInstance(algorithm);
    signature.initSign(ours);
    signature.update(text);
    byte[] signed = signature.sign();
    signature.initVerify(shown);
    signature.update(text);
    return signature.verify(signed);
  }

  /** What tells that a file is another one: of a link what it leads to, as Kubernetes changes its secrets. */
  private List<String> stamps() {
    List<String> stamps = new ArrayList<>();
    for (String name : names) {
      stamps.add(name.startsWith(IN_JAR) ? "" : stamp(path(name)));
    }
    return stamps;
  }

  private static String stamp(Path path) {
    try {
      BasicFileAttributes found = Files.readAttributes(path, BasicFileAttributes.class);
      return found.lastModifiedTime() + " " + found.size() + " " + found.fileKey();
    } catch (IOException e) {
      return "none";
    }
  }

  private static Path path(String name) {
    return name.startsWith("file:") ? Path.of(URI.create(name)) : Path.of(name);
  }

  private static InputStream open(String name) throws IOException {
    if (!name.startsWith(IN_JAR)) {
      return Files.newInputStream(path(name));
    }
    URL url = ResourceLocator.findNamedResource(name);
    if (url == null) {
      throw new IOException("there is no " + name);
    }
    return url.openStream();
  }

  /** Lends what netty reads PEM with. */
  private abstract static class Pem extends SslContext {
    static X509Certificate[] chain(String name) throws IOException, GeneralSecurityException {
      try (InputStream in = open(name)) {
        return toX509Certificates(in);
      }
    }

    static PrivateKey key(String name, String password) throws IOException, GeneralSecurityException {
      try (InputStream in = open(name)) {
        return toPrivateKey(in, password);
      }
    }
  }
}
