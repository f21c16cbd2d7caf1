// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import io.scurry.job.Addresses;
import io.scurry.job.Names;

/**
 * What a function's id says about the process that should run it.
 *
 * <pre>
 * model@version/lane          ranked by model@version, the lane picks the rank, whatever its level of priority
 * model@version/solo/token    first rank, in an exchange of its own
 * model@version/seq/id        one of the two ranks that every version is loaded on, always the same
 * model@version/load/lane     where that lane goes, in an exchange of its own
 * model@version/load/all      every process, in exchanges of their own
 * anything else               ranked by the whole id, first rank
 * </pre>
 */
final class FunctionKey {
  private static final FunctionKey EVERYWHERE = new FunctionKey("", 0, false, true, true, false);

  /** What is ranked. */
  final String ranked;

  /** Which rank is meant; taken modulo the number of processes. */
  final int rank;

  /** Whether it is one request that must run by itself. */
  final boolean solo;

  /** Whether it loads or unloads, which no request may hold up. */
  final boolean load;

  /** Whether it is for every process. */
  final boolean everywhere;

  /** Whether it is a sequence's, whose steps nothing may bring out of order. */
  final boolean sequence;

  private FunctionKey(
      String ranked, int rank, boolean solo, boolean load, boolean everywhere, boolean sequence) {
    this.ranked = ranked;
    this.rank = rank;
    this.solo = solo;
    this.load = load;
    this.everywhere = everywhere;
    this.sequence = sequence;
  }

  static FunctionKey parse(String id) {
    Addresses address = Addresses.parse(id);
    if (address == null) {
      return new FunctionKey(id, 0, false, false, false, false);
    }
    String ranked = address.model + "@" + address.version;
    switch (address.kind) {
      case SOLO:
        return new FunctionKey(ranked, 0, true, false, false, false);
      case SEQUENCE:
        return new FunctionKey(ranked, (int) (Rendezvous.hash(id) & 1), false, false, false, true);
      case LOAD:
        return address.lane == null ? EVERYWHERE : new FunctionKey(ranked, address.lane, false, true, false, false);
      default:
        return new FunctionKey(ranked, address.lane % Names.MOST_LANES, false, false, false, false);
    }
  }

  /** Whether it must not share an exchange. */
  boolean apart() {
    return solo || load;
  }

  /** The model of an inference address; the whole id when it is none. */
  static String model(String id) {
    int at = id.indexOf('@');
    return at < 0 ? id : id.substring(0, at);
  }

  @Override
  public String toString() {
    return everywhere ? "every process" : ranked + " rank " + rank + (solo ? " solo" : load ? " load" : "");
  }
}
