// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One key of the inference function, taken apart; the Java twin of {@code wire/addresses.py}.
 *
 * <pre>
 * model@version/n            LANE      requests of a version, in order
 * model@version/solo/token   SOLO      one request that must share its call with no other
 * model@version/seq/id       SEQUENCE  the requests of one sequence, with its state
 * model@version/load/n       LOAD      Load and Unload, never behind requests; goes where lane n goes
 * model@version/load/all     LOAD      the same, for every worker
 * </pre>
 */
public final class Addresses {
  private static final String NUMBER = "0|[1-9][0-9]{0,4}";
  private static final Pattern ADDRESS = Pattern.compile(
      "(?<model>" + Names.MODEL_NAME + ")@(?<version>" + Names.MODEL_NAME + ")/(?:(?<lane>" + NUMBER
          + ")|solo/(?<token>.+)|seq/(?<id>.+)|load/(?:(?<load>" + NUMBER + ")|all))",
      Pattern.DOTALL);

  /** What a key is for. */
  public enum Kind {
    LANE,
    SOLO,
    SEQUENCE,
    LOAD
  }

  public final Kind kind;
  public final String model;
  public final String version;

  /** The lane of a LANE or LOAD; null: every worker, or another kind. */
  public final Integer lane;

  /** Token of a SOLO, id of a SEQUENCE; else null. */
  public final String token;

  private Addresses(Kind kind, Matcher found, String lane, String token) {
    this.kind = kind;
    this.model = found.group("model");
    this.version = found.group("version");
    this.lane = lane == null ? null : Integer.valueOf(lane);
    this.token = token;
  }

  /** What a key spells; null when it is none of the inference function's. */
  public static Addresses parse(String text) {
    Matcher found = ADDRESS.matcher(text);
    if (!found.matches()) {
      return null;
    }
    if (found.group("lane") != null) {
      return new Addresses(Kind.LANE, found, found.group("lane"), null);
    }
    if (found.group("token") != null) {
      return new Addresses(Kind.SOLO, found, null, found.group("token"));
    }
    if (found.group("id") != null) {
      return new Addresses(Kind.SEQUENCE, found, null, found.group("id"));
    }
    return new Addresses(Kind.LOAD, found, found.group("load"), null);
  }

  @Override
  public String toString() {
    switch (kind) {
      case LANE:
        return model + "@" + version + "/" + lane;
      case SOLO:
        return model + "@" + version + "/solo/" + token;
      case SEQUENCE:
        return model + "@" + version + "/seq/" + token;
      default:
        return model + "@" + version + "/load/" + (lane == null ? "all" : lane);
    }
  }
}
