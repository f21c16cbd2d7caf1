// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

/**
 * Ranks processes for a key by rendezvous hashing.
 *
 * <p>Each pair of key and process has a score of its own, so that a process that leaves moves only the keys it was
 * first for, and every job ranks alike without asking anybody.
 */
final class Rendezvous {
  private Rendezvous() {}

  /** Indices of the processes with these seeds, best first. */
  static int[] rank(String key, long[] seeds) {
    long hash = hash(key);
    int[] order = new int[seeds.length];
    long[] scores = new long[seeds.length];
    for (int i = 0; i < seeds.length; i++) {
      long score = mix(hash ^ seeds[i]);
      int at = i;
      for (; at > 0 && Long.compareUnsigned(scores[at - 1], score) < 0; at--) {
        scores[at] = scores[at - 1];
        order[at] = order[at - 1];
      }
      scores[at] = score;
      order[at] = i;
    }
    return order;
  }

  /** A well mixed 64-bit hash of a string: FNV-1a, then Murmur's finish. */
  static long hash(String text) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    }
    return mix(hash);
  }

  private static long mix(long value) {
    long mixed = value;
    mixed = (mixed ^ (mixed >>> 33)) * 0xff51afd7ed558ccdL;
    mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return mixed ^ (mixed >>> 33);
  }
}
