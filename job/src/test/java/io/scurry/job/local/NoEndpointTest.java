// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.scurry.wire.Messages.Load;
import io.scurry.wire.Messages.LoadFailed;
import io.scurry.wire.Messages.ModelSpec;
import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.Request;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.statefun.flink.core.StatefulFunctionsUniverse;
import org.apache.flink.statefun.flink.core.message.MessageFactoryKey;
import org.apache.flink.statefun.flink.core.message.MessageFactoryType;
import org.apache.flink.statefun.sdk.Address;
import org.apache.flink.statefun.sdk.Context;
import org.apache.flink.statefun.sdk.FunctionType;
import org.apache.flink.statefun.sdk.FunctionTypeNamespaceMatcher;
import org.apache.flink.statefun.sdk.StatefulFunctionProvider;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;
import org.junit.jupiter.api.Test;

/** A function that nobody serves costs its callers an error, and the job nothing. */
class NoEndpointTest {
  private static final FunctionType TYPE = new FunctionType("demo", "none");
  private final List<Object[]> sent = new ArrayList<>();

  private void invoke(String id, String typename, MessageLite message) {
    Context context = (Context) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {Context.class},
        (proxy, method, arguments) -> {
          if (method.getName().equals("self")) {
            return new Address(TYPE, id);
          }
          sent.add(arguments);
          return null;
        });
    new NoEndpoint(TYPE).invoke(context, TypedValue.newBuilder().setTypename(typename).setHasValue(true)
        .setValue(message.toByteString()).build());
  }

  private ByteString only(String function, String typename) {
    assertEquals(1, sent.size());
    Address to = (Address) sent.get(0)[0];
    assertEquals(function, to.type().namespace() + "/" + to.type().name() + " " + to.id());
    TypedValue value = (TypedValue) sent.get(0)[1];
    assertEquals(typename, value.getTypename());
    return value.getValue();
  }

  @Test
  void aRequestIsAnsweredThroughItsRouter() throws Exception {
    Request request = Request.newBuilder().setId("i").setEntry("s/1-0").setReply("scurry:replies:c").setKeep(0)
        .setModel("m").setPayload("scurry:payload:i:in:body").setDigest(ByteString.copyFromUtf8("d")).build();
    invoke("m@1/0", "scurry.v1/Request", request);
    Reply expected = Reply.newBuilder().setId("i").setEntry("s/1-0").setReply("scurry:replies:c").setKeep(0)
        .setModel("m").setError("unavailable").addConsumed("scurry:payload:i:in:body")
        .setMessage("No endpoint in module.yaml serves the function demo/none.")
        .setDigest(ByteString.copyFromUtf8("d")).build();
    assertEquals(expected, Reply.parseFrom(only("scurry/router m", "scurry.v1/Reply")));
  }

  @Test
  void aLoadFails() throws Exception {
    invoke("m@1/load/1", "scurry.v1/Load", Load.newBuilder().setVersion("1").setLane(1)
        .setSpec(ModelSpec.newBuilder().setGeneration(3).setIdentity("x")).build());
    LoadFailed failed = LoadFailed.parseFrom(only("scurry/registry m", "scurry.v1/LoadFailed"));
    assertEquals("1 1 3 x load_failed", failed.getVersion() + " " + failed.getLane() + " " + failed.getGeneration() + " "
        + failed.getIdentity() + " " + failed.getError());
  }

  @Test
  void whatCannotBeAnsweredIsDropped() {
    invoke("nobody", "scurry.v1/Request", Request.getDefaultInstance());
    invoke("m@1/0", "demo/Something", Request.getDefaultInstance());
    assertEquals(0, sent.size());
  }

  @Test
  void itStandsInForEveryNamespaceThatHasNoProvider() {
    StatefulFunctionsUniverse universe = new StatefulFunctionsUniverse(
        MessageFactoryKey.forType(MessageFactoryType.WITH_PROTOBUF_PAYLOADS, null));
    StatefulFunctionProvider bound = type -> new Answers();
    universe.bindFunctionProvider(FunctionTypeNamespaceMatcher.targetNamespace("scurry"), bound);
    LocalFunctions.standIn(universe);
    assertSame(bound, universe.namespaceFunctions().get("scurry"));
    assertNotNull(universe.namespaceFunctions().get("demo").functionOfType(TYPE));
  }
}
