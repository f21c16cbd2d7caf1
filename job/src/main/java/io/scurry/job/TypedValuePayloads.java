// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import com.google.protobuf.ByteString;
import javax.annotation.Nonnull;
import org.apache.flink.statefun.flink.core.generated.Payload;
import org.apache.flink.statefun.flink.core.message.MessagePayloadSerializer;
import org.apache.flink.statefun.flink.core.message.MessagePayloadSerializerPb;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/**
 * Writes typed values between functions without wrapping, parsing or copying their bytes.
 *
 * <p>StateFun's own serialiser writes a typed value into a payload that names its Java class, and parses it again; and
 * as Flink gives a job a class loader of its own, it would do so for each message that never leaves its task. Here
 * the typename stands where the class name would, told apart by its slash, and immutable messages are shared. The name
 * of this class is part of every checkpoint: never rename it.
 */
public final class TypedValuePayloads implements MessagePayloadSerializer {
  private final MessagePayloadSerializer others = new MessagePayloadSerializerPb();

  @Override
  public Payload serialize(@Nonnull Object what) {
    if (what instanceof TypedValue) {
      TypedValue value = (TypedValue) what;
      if (value.getHasValue() && value.getTypename().indexOf('/') >= 0) {
        return Payload.newBuilder()
            .setClassNameBytes(value.getTypenameBytes())
            .setPayloadBytes(value.getValue())
            .build();
      }
    }
    return others.serialize(what);
  }

  @Override
  public Object deserialize(@Nonnull ClassLoader loader, @Nonnull Payload payload) {
    ByteString name = payload.getClassNameBytes();
    for (int i = 0; i < name.size(); i++) {
      if (name.byteAt(i) == '/') {
        return TypedValue.newBuilder()
            .setTypenameBytes(name)
            .setHasValue(true)
            .setValue(payload.getPayloadBytes())
            .build();
      }
    }
    return others.deserialize(loader, payload);
  }

  @Override
  public Object copy(@Nonnull ClassLoader loader, @Nonnull Object what) {
    return what;
  }
}
