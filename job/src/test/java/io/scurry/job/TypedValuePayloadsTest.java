// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import java.util.stream.Stream;
import org.apache.flink.statefun.flink.core.generated.Payload;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Messages between functions survive the cheap serialiser. */
class TypedValuePayloadsTest {
  private final TypedValuePayloads payloads = new TypedValuePayloads();
  private final ClassLoader loader = getClass().getClassLoader();

  static Stream<Message> messages() {
    TypedValue usual = TypedValue.newBuilder()
        .setTypename("scurry.v1/Requests").setHasValue(true).setValue(ByteString.copyFromUtf8("x")).build();
    return Stream.of(
        usual,
        usual.toBuilder().setValue(ByteString.EMPTY).build(),
        usual.toBuilder().setHasValue(false).clearValue().build(),
        usual.toBuilder().setTypename("bare").build(),
        TypedValue.getDefaultInstance(),
        ToFunction.newBuilder().build());
  }

  @ParameterizedTest
  @MethodSource("messages")
  void whatIsWrittenIsRead(Message message) throws Exception {
    Payload written = Payload.parseFrom(payloads.serialize(message).toByteString());
    assertEquals(message, payloads.deserialize(loader, written));
  }

  @Test
  void bytesAreShared() {
    TypedValue value = (TypedValue) messages().iterator().next();
    assertSame(value.getValue(), payloads.serialize(value).getPayloadBytes());
    assertSame(value, payloads.copy(loader, value));
  }
}
