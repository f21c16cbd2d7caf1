// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/** What an entry asks for, in 16 bytes: the same id with another digest is a conflict. For one thread. */
final class Digest {
  private static final int BYTES = 16;

  private final MessageDigest sha;
  private final byte[] length = new byte[Integer.BYTES];

  Digest() {
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Of one request or registry message: kind and encoding, model, version and body as they were sent. */
  ByteString of(String kind, String model, String version, byte[] body) {
    add(kind.getBytes(StandardCharsets.UTF_8));
    add(model.getBytes(StandardCharsets.UTF_8));
    add(version.getBytes(StandardCharsets.UTF_8));
    add(body);
    return end();
  }

  /** Of an entry that makes no sense. */
  ByteString ofAll(List<byte[]> fields) {
    add("defect".getBytes(StandardCharsets.UTF_8));
    fields.forEach(this::add);
    return end();
  }

  private void add(byte[] part) {
    ByteBuffer.wrap(length).putInt(part.length);
    sha.update(length);
    sha.update(part);
  }

  private ByteString end() {
    return ByteString.copyFrom(sha.digest(), 0, BYTES);
  }
}
