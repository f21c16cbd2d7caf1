// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import io.scurry.job.local.LocalFunctions;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.TextNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import org.apache.flink.statefun.flink.core.StatefulFunctionsConfig;
import org.apache.flink.statefun.flink.core.StatefulFunctionsUniverse;
import org.apache.flink.statefun.flink.core.StatefulFunctionsUniverseProvider;
import org.apache.flink.statefun.flink.core.spi.Modules;

/**
 * The job's module.yaml, read and its placeholders resolved once, where the job is started.
 *
 * <p>It travels to the TaskManagers inside the job: they need neither the file nor the environment it was read in.
 */
final class ModuleText implements StatefulFunctionsUniverseProvider {
  private static final long serialVersionUID = 1L;

  private final String text;

  private ModuleText(String text) {
    this.text = text;
  }

  /** Reads a file, or with {@code classpath:} a resource. */
  static ModuleText read(String module) {
    try (InputStream in = open(module)) {
      ObjectMapper yaml = new ObjectMapper(new YAMLFactory());
      List<JsonNode> documents =
          yaml.readerFor(JsonNode.class).<JsonNode>readValues(new YAMLFactory().createParser(in)).readAll();
      StringBuilder text = new StringBuilder();
      for (JsonNode document : documents) {
        if (document != null && !document.isNull()) {
          text.append("---\n").append(new ObjectMapper().writeValueAsString(resolved(document))).append('\n');
        }
      }
      return new ModuleText(text.toString());
    } catch (JsonProcessingException e) {
      throw new Misconfigured("The module " + module + " is not YAML: " + e.getOriginalMessage() + ".");
    } catch (IOException e) {
      throw new Misconfigured("The module " + module + " cannot be read: " + e.getMessage() + ".");
    }
  }

  private static InputStream open(String module) throws IOException {
    if (module.startsWith("classpath:")) {
      String name = module.substring("classpath:".length());
      InputStream in = Thread.currentThread().getContextClassLoader().getResourceAsStream(name);
      if (in == null) {
        throw new Misconfigured("There is no " + name + " on the class path; name the file with --module.");
      }
      return in;
    }
    Path file = Path.of(module.replaceFirst("^file:(//)?", ""));
    if (!Files.isRegularFile(file)) {
      throw new Misconfigured("There is no module file " + file + ".");
    }
    return Files.newInputStream(file);
  }

  static JsonNode resolved(JsonNode node) {
    if (node.isTextual()) {
      return new TextNode(Placeholders.resolve(node.asText()));
    }
    if (node.isObject()) {
      ObjectNode object = (ObjectNode) node;
      List<String> names = new ArrayList<>();
      object.fieldNames().forEachRemaining(names::add);
      names.forEach(name -> object.set(name, resolved(object.get(name))));
    } else if (node.isArray()) {
      ArrayNode array = (ArrayNode) node;
      for (int i = 0; i < array.size(); i++) {
        array.set(i, resolved(array.get(i)));
      }
    }
    return node;
  }

  @Override
  public StatefulFunctionsUniverse get(ClassLoader classLoader, StatefulFunctionsConfig config) {
    try {
      // StateFun reads modules from files only. The file may hold a password: it is ours alone, and short-lived.
      Path file = Files.createTempFile("scurry-module", ".yaml");
      try {
        Files.writeString(file, text);
        config.setRemoteModuleName(file.toUri().toString());
        StatefulFunctionsUniverse universe = Modules.loadFromClassPath(config).createStatefulFunctionsUniverse();
        LocalFunctions.standIn(universe);
        return universe;
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The documents as they were resolved, one JSON object a line. */
  String text() {
    return text;
  }
}
