// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/**
 * Replaces {@code ${NAME:default}} in a text by system properties and the environment.
 *
 * <p>A system property wins over the environment, both win over the default; what is set but empty counts as not
 * set. A name without a default must be set. Braces inside a default are allowed as long as they are balanced:
 * {@code ${SCURRY_NAMESPACE:{scurry}}}. Where {@code NAME} is not set and {@code NAME_FILE} is, the value is what stands
 * in the file of that name: a secret is better mounted than handed over in the environment.
 */
public final class Placeholders {
  private Placeholders() {}

  /** Replaces by this process's system properties and environment. */
  public static String resolve(String text) {
    return resolve(text, Placeholders::value);
  }

  static String resolve(String text, UnaryOperator<String> values) {
    StringBuilder out = new StringBuilder(text.length());
    int from = 0;
    for (int at = text.indexOf("${"); at >= 0; at = text.indexOf("${", from)) {
      int end = closing(text, at + 2);
      out.append(text, from, at).append(replacement(text.substring(at + 2, end), values));
      from = end + 1;
    }
    return out.append(text, from, text.length()).toString();
  }

  private static int closing(String text, int from) {
    int depth = 1;
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw new Misconfigured("The placeholder in '" + text + "' has no closing brace.");
  }

  private static String replacement(String inner, UnaryOperator<String> values) {
    int colon = inner.indexOf(':');
    String name = colon < 0 ? inner : inner.substring(0, colon);
    String value = values.apply(name);
    if (value != null && !value.isEmpty()) {
      return value;
    }
    String file = values.apply(name + "_FILE");
    if (file != null && !file.isEmpty()) {
      return content(name + "_FILE", file);
    }
    if (colon < 0) {
      throw new Misconfigured("The variable " + name + " is not set and has no default.");
    }
    return inner.substring(colon + 1);
  }

  private static String content(String name, String file) {
    try {
      return Files.readString(Path.of(file)).trim();
    } catch (IOException e) {
      throw new Misconfigured("The file that " + name + " names cannot be read: " + e.getMessage() + ".");
    }
  }

  private static String value(String name) {
    String property = System.getProperty(name);
    return property != null && !property.isEmpty() ? property : System.getenv(name);
  }
}
