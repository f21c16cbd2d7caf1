// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.scurry.job.Misconfigured;
import io.scurry.wire.Messages.Bounced;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManagerFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Over https the process must prove who it is, and so must we if it asks. */
@Timeout(60)
class EncryptionTest {
  private static final char[] PASSWORD = "changeit".toCharArray();

  @TempDir static Path folder;
  private static Path certificate;
  private static Path key;

  @BeforeAll
  static void makeCertificates() throws Exception {
    certificate = make("us", "EC");
    key = folder.resolve("us.key");
    make("rsa", "RSA");
    make("stranger", "EC");
  }

  /** A certificate, its key and a store of both, named alike. */
  private static Path make(String name, String algorithm) throws Exception {
    Path made = folder.resolve(name + ".crt");
    keytool(name, "-genkeypair", "-keyalg", algorithm, "-dname", "CN=scurry", "-ext", "san=ip:127.0.0.1");
    keytool(name, "-exportcert", "-rfc", "-file", made.toString());
    String body = Base64.getMimeEncoder().encodeToString(keys(name).getKey(name, PASSWORD).getEncoded());
    Files.writeString(folder.resolve(name + ".key"),
        "-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n");
    return made;
  }

  private static void keytool(String name, String... arguments) throws Exception {
    ProcessBuilder tool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    tool.command().addAll(List.of(arguments));
    tool.command().addAll(List.of("-alias", name, "-keystore", folder.resolve(name + ".p12").toString(), "-storetype",
        "PKCS12", "-storepass", new String(PASSWORD)));
    Process process = tool.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue());
  }

  private static KeyStore keys(String name) throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(folder.resolve(name + ".p12"))) {
      keys.load(in, PASSWORD);
    }
    return keys;
  }

  private static FakeWorker worker(boolean asksWhoWeAre) throws Exception {
    KeyManagerFactory ours = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    ours.init(keys("us"), PASSWORD);
    KeyStore known = KeyStore.getInstance("PKCS12");
    known.load(null, null);
    for (String name : List.of("us", "rsa")) {
      known.setCertificateEntry(name, keys(name).getCertificate(name));
    }
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

  @ParameterizedTest
  @ValueSource(strings = {"us", "rsa"})
  void weShowOurOwnCertificateWhenAsked(String name) throws Exception {
    try (FakeWorker worker = worker(true);
        Bench bench = new Bench(url(worker), "trust_cacerts=" + certificate,
            "client_cert=" + folder.resolve(name + ".crt"), "client_key=" + folder.resolve(name + ".key"))) {
      assertEquals("a", Bench.answer(bench.call("a")));
    }
  }

  /** With TLS 1.3 the refusal comes after the call was sent, which nobody read: no loss that a request is blamed for. */
  @Test
  void whereOurCertificateIsRefusedNothingIsLostAndOneOfALaterFileIsShown() throws Exception {
    Path shown = copy("stranger", "shown");
    try (FakeWorker worker = worker(true);
        Bench bench = new Bench(url(worker), "failure=bounce", "connect_patience=300ms", "trust_cacerts=" + certificate,
            "client_cert=" + shown, "client_key=" + folder.resolve("shown.key"))) {
      Bounced bounced = Bench.bounced(bench.call("a@1/0"));
      assertFalse(bounced.getExecuting(), bounced.getCause());
      assertTrue(worker.ids().isEmpty());
      copy("us", "shown");
      Bench.await("the process to be up", () -> isAnswered(bench));
    }
  }

  private static boolean isAnswered(Bench bench) {
    try {
      return bench.call("b@1/0").get(10, TimeUnit.SECONDS).getInvocationResult().getOutgoingEgressesCount() == 1;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void anotherAuthorityIsTrustedOnceItIsInTheFile() throws Exception {
    Path trusted = folder.resolve("trusted.pem");
    Files.copy(folder.resolve("stranger.crt"), trusted);
    try (FakeWorker worker = worker(false);
        Bench bench = new Bench(url(worker), "failure=bounce", "connect_patience=300ms", "trust_cacerts=" + trusted)) {
      assertFalse(Bench.bounced(bench.call("a@1/0")).getExecuting());
      Files.writeString(trusted, Files.readString(trusted) + Files.readString(certificate));
      Bench.await("the process to be up", () -> isAnswered(bench));
    }
  }

  @Test
  void halfARenewalChangesNothing() throws Exception {
    Path shown = copy("us", "half");
    Path shownKey = folder.resolve("half.key");
    Encryption encryption = encryption("trust_cacerts", certificate, "client_cert", shown, "client_key", shownKey);
    SslContext before = encryption.context();
    String another = Files.readString(folder.resolve("stranger.crt"));
    for (String half : List.of(Files.readString(folder.resolve("rsa.crt")), another, "no certificate", "")) {
      Files.writeString(shown, half);
      assertSame(before, encryption.context());
    }
    Files.delete(shownKey);
    assertSame(before, encryption.context());
    copy("rsa", "half");
    SslContext after = encryption.context();
    assertNotSame(before, after);
    assertSame(after, encryption.context());
  }

  @Test
  void aLinkThatLeadsElsewhereIsAnotherFile() throws Exception {
    Path link = folder.resolve("with a space.crt");
    Files.createSymbolicLink(link, certificate);
    Encryption encryption = encryption("trust_cacerts", link);
    SslContext before = encryption.context();
    assertSame(before, encryption.context());
    Files.delete(link);
    Files.createSymbolicLink(link, folder.resolve("rsa.crt"));
    assertNotSame(before, encryption.context());
    assertNotNull(encryption("trust_cacerts", certificate.toUri()).context());
  }

  private static Encryption encryption(Object... pairs) {
    ObjectNode properties = new ObjectMapper().createObjectNode();
    for (int i = 0; i < pairs.length; i += 2) {
      properties.put((String) pairs[i], pairs[i + 1].toString());
    }
    return Encryption.of(TransportSettings.of(properties, URI.create("https://127.0.0.1:1")));
  }

  /** Certificate and key under another name; returns the certificate's. */
  private static Path copy(String from, String to) throws Exception {
    for (String end : List.of(".crt", ".key")) {
      Files.copy(folder.resolve(from + end), folder.resolve(to + end), StandardCopyOption.REPLACE_EXISTING);
    }
    return folder.resolve(to + ".crt");
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
    assertThrows(Misconfigured.class, () -> encryption("trust_cacerts", key));
    assertThrows(Misconfigured.class,
        () -> encryption("client_cert", certificate, "client_key", folder.resolve("stranger.key")));
  }
}
