// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import com.google.protobuf.ByteString;

/** Bounds on what a caller may send; the Java twin of {@code wire/limits.py}. */
public final class Limits {
  /** UTF-8 bytes of a request's id, of a sticky key or of a tenant. */
  public static final int ID_BYTES = 512;

  /** UTF-8 bytes of the name of a reply stream. */
  public static final int REPLY_BYTES = 512;

  /** UTF-8 bytes of the name of a Cluster Serving stream. */
  public static final int STREAM_BYTES = 256;

  /** Bytes of what a Cluster Serving client calls an entry. */
  public static final int URI_BYTES = 4096;

  /** UTF-8 bytes of a version or an alias that is asked for. */
  public static final int VERSION_BYTES = 128;

  /** UTF-8 bytes of the sentence that goes with an error code; what is longer is cut. */
  public static final int ERROR_BYTES = 1024;

  /** A parked output goes at most so long after the result that names it. */
  public static final int PAYLOAD_GRACE_SECONDS = 60;

  private static final ByteString CUT = ByteString.copyFromUtf8("…");

  private Limits() {}

  /** A sentence within its limit: whole characters, with a sign that something is missing. */
  public static ByteString sentence(ByteString text) {
    if (text.size() <= ERROR_BYTES) {
      return text;
    }
    int end = ERROR_BYTES - CUT.size();
    while (end > 0 && (text.byteAt(end) & 0xC0) == 0x80) {
      end--;
    }
    return text.substring(0, end).concat(CUT);
  }
}
