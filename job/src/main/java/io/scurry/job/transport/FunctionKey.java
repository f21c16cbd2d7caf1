// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

/**
 * What a function's id says about the process that should run it.
 *
 * <pre>
 * model@version/lane          ranked by model@version, the lane picks the rank
 * model@version/solo/token    first rank, in an exchange of its own
 * model@version/seq/id        one of the two ranks that every version is loaded on, always the same
 * anything else               ranked by the whole id, first rank
 * </pre>
 */
final class FunctionKey {
  private static final String SOLO = "solo/";

  /** What is ranked. */
  final String ranked;

  /** Which rank is meant; taken modulo the number of processes. */
  final int rank;

  /** Whether it must not share an exchange. */
  final boolean solo;

  private FunctionKey(String ranked, int rank, boolean solo) {
    this.ranked = ranked;
    this.rank = rank;
    this.solo = solo;
  }

  static FunctionKey parse(String id) {
    int at = id.indexOf('@');
    int slash = id.indexOf('/', at + 1);
    if (at < 0 || slash < 0) {
      return new FunctionKey(id, 0, false);
    }
    String ranked = id.substring(0, slash);
    if (id.startsWith(SOLO, slash + 1)) {
      return new FunctionKey(ranked, 0, true);
    }
    int lane = lane(id, slash + 1);
    return new FunctionKey(ranked, lane >= 0 ? lane : (int) (Rendezvous.hash(id) & 1), false);
  }

  /** The model of an inference address; the whole id when it is none. */
  static String model(String id) {
    int at = id.indexOf('@');
    return at < 0 ? id : id.substring(0, at);
  }

  private static int lane(String id, int from) {
    if (from == id.length() || id.length() - from > 6) {
      return -1;
    }
    int lane = 0;
    for (int i = from; i < id.length(); i++) {
      int digit = id.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      lane = lane * 10 + digit;
    }
    return lane;
  }

  @Override
  public String toString() {
    return ranked + " rank " + rank + (solo ? " solo" : "");
  }
}
