// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import io.scurry.job.Misconfigured;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslContext;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslContextBuilder;
import org.apache.flink.statefun.flink.common.ResourceLocator;

/** Certificates for https, read from files or, with {@code classpath:}, from the jar. */
final class Encryption {
  private Encryption() {}

  static SslContext of(TransportSettings settings) {
    SslContextBuilder builder = SslContextBuilder.forClient();
    try {
      if (settings.trustCaCerts != null) {
        try (InputStream trusted = open(settings.trustCaCerts)) {
          builder.trustManager(trusted);
        }
      }
      if (settings.clientCert != null && settings.clientKey != null) {
        try (InputStream chain = open(settings.clientCert); InputStream key = open(settings.clientKey)) {
          builder.keyManager(chain, key, settings.clientKeyPassword);
        }
      } else if (settings.clientCert != null || settings.clientKey != null) {
        throw new Misconfigured("The transport's client_cert and client_key go together.");
      }
      return builder.build();
    } catch (IOException e) {
      throw new UncheckedIOException("The transport's certificates cannot be read: " + e.getMessage(), e);
    }
  }

  private static InputStream open(String path) throws IOException {
    URL url = ResourceLocator.findNamedResource(path);
    if (url == null) {
      throw new IOException("there is no " + path);
    }
    return url.openStream();
  }
}
