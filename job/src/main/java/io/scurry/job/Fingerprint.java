// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;

/**
 * What a job was made of, part by part: its module, parallelism, jar, and the settings that are fixed in its graph.
 *
 * <p>It travels in the job's global parameters, as digests: a module may hold a password, and Flink's UI shows them.
 */
final class Fingerprint {
  static final String PREFIX = "scurry.made-of.";
  private static final List<String> PARTS = List.of("module", "parallelism", "jar", "settings");
  private static final List<String> FIXED = List.of(
      "execution.buffer-timeout", "execution.checkpointing.", "pipeline.object-reuse", "restart-strategy",
      "state.backend", "statefun.");

  private final Map<String, String> parts;

  private Fingerprint(Map<String, String> parts) {
    this.parts = parts;
  }

  /** Of the job that is about to start. */
  static Fingerprint of(ModuleText module, Configuration config) {
    return of(module, config, jar());
  }

  static Fingerprint of(ModuleText module, Configuration config, String jar) {
    Map<String, String> parts = new LinkedHashMap<>();
    parts.put("module", digest(module.text()));
    parts.put("parallelism", config.getString("parallelism.default", "1"));
    parts.put("jar", jar);
    Map<String, String> fixed = new TreeMap<>(config.toMap());
    fixed.keySet().removeIf(key -> FIXED.stream().noneMatch(key::startsWith));
    parts.put("settings", digest(fixed.toString()));
    return new Fingerprint(parts);
  }

  /** Of a job that was started, by its global parameters; one that tells nothing differs in everything. */
  static Fingerprint read(Map<String, String> parameters) {
    Map<String, String> parts = new LinkedHashMap<>();
    PARTS.forEach(part -> parts.put(part, parameters.getOrDefault(PREFIX + part, "")));
    return new Fingerprint(parts);
  }

  /** Puts it where the job graph will carry it. */
  void writeTo(Configuration config) {
    Map<String, String> parameters = new LinkedHashMap<>();
    config.getOptional(PipelineOptions.GLOBAL_JOB_PARAMETERS).ifPresent(parameters::putAll);
    parts.forEach((part, value) -> parameters.put(PREFIX + part, value));
    config.set(PipelineOptions.GLOBAL_JOB_PARAMETERS, parameters);
  }

  /** The parts that are not the same in both. */
  List<String> differences(Fingerprint other) {
    List<String> found = new ArrayList<>(PARTS);
    found.removeIf(part -> parts.get(part).equals(other.parts.get(part)));
    return found;
  }

  private static String digest(String text) {
    return hex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** By its bytes: its name and version stay the same while it is worked on. */
  private static String jar() {
    try {
      Path file = Path.of(Fingerprint.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      if (!Files.isRegularFile(file)) {
        return "classes";
      }
      MessageDigest digest = sha256();
      byte[] buffer = new byte[1 << 16];
      try (InputStream in = Files.newInputStream(file)) {
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
          digest.update(buffer, 0, count);
        }
      }
      return hex(digest.digest());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String hex(byte[] digest) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      text.append(String.format("%02x", digest[i]));
    }
    return text.toString();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public String toString() {
    return parts.toString();
  }
}
