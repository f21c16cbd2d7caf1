// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

/** Id of a stream entry, {@code milliseconds-sequence}, both unsigned 64-bit numbers. */
final class EntryId implements Comparable<EntryId> {
  static final EntryId ZERO = new EntryId(0, 0);

  private final long millis;
  private final long sequence;

  private EntryId(long millis, long sequence) {
    this.millis = millis;
    this.sequence = sequence;
  }

  static EntryId parse(String text) {
    int dash = text.indexOf('-');
    return dash < 0
        ? new EntryId(Long.parseUnsignedLong(text), 0)
        : new EntryId(
            Long.parseUnsignedLong(text.substring(0, dash)), Long.parseUnsignedLong(text.substring(dash + 1)));
  }

  /** The smallest id of this moment. */
  static EntryId at(long epochMillis) {
    return new EntryId(Math.max(0, epochMillis), 0);
  }

  @Override
  public int compareTo(EntryId other) {
    int first = Long.compareUnsigned(millis, other.millis);
    return first != 0 ? first : Long.compareUnsigned(sequence, other.sequence);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof EntryId && compareTo((EntryId) other) == 0;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(millis) * 31 + Long.hashCode(sequence);
  }

  @Override
  public String toString() {
    return Long.toUnsignedString(millis) + "-" + Long.toUnsignedString(sequence);
  }
}
