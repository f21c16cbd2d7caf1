// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.scurry.job.Misconfigured;
import io.scurry.wire.Messages.Bounced;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Over https the process must prove who it is, and so must we if it asks. */
@Timeout(60)
class EncryptionTest {
  private static final char[] PASSWORD = "changeit".toCharArray();

  @TempDir static Path folder;
  private static Path store;
  private static Path certificate;
  private static Path key;

  @BeforeAll
  static void makeCertificate() throws Exception {
    store = folder.resolve("store.p12");
    certificate = folder.resolve("certificate.pem");
    key = folder.resolve("key.pem");
    keytool("-genkeypair", "-alias", "us", "-keyalg", "EC", "-dname", "CN=scurry", "-ext", "san=ip:127.0.0.1");
    keytool("-exportcert", "-alias", "us", "-rfc", "-file", certificate.toString());
    byte[] bytes = keys().getKey("us", PASSWORD).getEncoded();
    String body = Base64.getMimeEncoder().encodeToString(bytes);
    Files.writeString(key, "-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n");
  }

  private static void keytool(String... arguments) throws Exception {
    ProcessBuilder tool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    tool.command().addAll(List.of(arguments));
    tool.command().addAll(List.of(
        "-keystore", store.toString(), "-storetype", "PKCS12", "-storepass", new String(PASSWORD)));
    Process process = tool.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue());
  }

  private static KeyStore keys() throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD);
    }
    return keys;
  }

  private static FakeWorker worker(boolean asksWhoWeAre) throws Exception {
    KeyManagerFactory ours = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    ours.init(keys(), PASSWORD);
    KeyStore known = KeyStore.getInstance("PKCS12");
    known.load(null, null);
    known.setCertificateEntry("us", keys().getCertificate("us"));
    TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trusted.init(known);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(ours.getKeyManagers(), trusted.getTrustManagers(), null);
    ServerSocket socket = context.getServerSocketFactory().createServerSocket();
    ((SSLServerSocket) socket).setNeedClientAuth(asksWhoWeAre);
    return new FakeWorker(0, socket, FakeWorker.ANSWER_ALL);
  }

  private static String url(FakeWorker worker) {
    return worker.url().replace("http:", "https:");
  }

  @Test
  void aTrustedProcessIsAsked() throws Exception {
    try (FakeWorker worker = worker(false); Bench bench = new Bench(url(worker), "trust_cacerts=" + certificate)) {
      assertEquals("a", Bench.answer(bench.call("a")));
      assertEquals("b", Bench.answer(bench.call("b")));
    }
  }

  @Test
  void weShowOurOwnCertificateWhenAsked() throws Exception {
    try (FakeWorker worker = worker(true);
        Bench bench = new Bench(url(worker), "trust_cacerts=" + certificate, "client_cert=" + certificate,
            "client_key=" + key)) {
      assertEquals("a", Bench.answer(bench.call("a")));
    }
  }

  @Test
  void anUntrustedProcessGetsNothing() throws Exception {
    try (FakeWorker worker = worker(false);
        Bench bench = new Bench(url(worker), "failure=bounce", "connect_patience=300ms")) {
      Bounced bounced = Bench.bounced(bench.call("a@1/0"));
      assertFalse(bounced.getExecuting());
      assertTrue(bounced.getCause().contains("certification path"), bounced.getCause());
      assertTrue(worker.ids().isEmpty());
    }
  }

  @Test
  void aProcessUnderAnotherNameGetsNothing() throws Exception {
    try (FakeWorker worker = worker(false);
        Bench bench = new Bench(url(worker).replace("127.0.0.1", "localhost"), "failure=bounce",
            "connect_patience=300ms", "trust_cacerts=" + certificate)) {
      assertFalse(Bench.bounced(bench.call("a@1/0")).getExecuting());
      assertTrue(worker.ids().isEmpty());
    }
  }

  @Test
  void halfAnIdentityAndMissingFilesAreMistakes() {
    assertThrows(Misconfigured.class, () -> new Bench("https://127.0.0.1:1", "client_cert=" + certificate));
    assertThrows(UncheckedIOException.class, () -> new Bench("https://127.0.0.1:1", "trust_cacerts=/no/such"));
  }
}
