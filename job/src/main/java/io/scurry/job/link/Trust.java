// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import io.scurry.job.Misconfigured;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Whose certificates a Redis may show. */
final class Trust {
  private Trust() {}

  /** Sockets that trust those in a PEM file, or, unverified, everybody. */
  static SSLSocketFactory sockets(boolean verify, String authorities) {
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
}
