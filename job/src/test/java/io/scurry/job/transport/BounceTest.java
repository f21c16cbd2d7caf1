// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.scurry.wire.Messages.Bounced;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction.InvocationResponse;
import org.junit.jupiter.api.Test;

/** A lost call sends each of its messages back to whoever cares. */
class BounceTest {
  private static final String LOAD = "scurry.v1/Load";

  private static InvocationResponse bounce(String... typenames) {
    return Bounce.of(Requests.call("digits@2/1", typenames), "it died", true, false).getInvocationResult();
  }

  private static String target(FromFunction.Invocation message) {
    return message.getTarget().getNamespace() + "/" + message.getTarget().getType() + " " + message.getTarget().getId();
  }

  @Test
  void requestsGoToTheRouterAndTheRestToTheRegistry() {
    List<String> targets = bounce(Bounce.REQUESTS, LOAD, Bounce.REQUEST).getOutgoingMessagesList().stream()
        .map(BounceTest::target)
        .collect(Collectors.toList());
    assertEquals(List.of("scurry/router digits", "scurry/registry digits", "scurry/router digits"), targets);
  }

  @Test
  void theMessageTravelsAsItWasSent() throws Exception {
    FromFunction.Invocation message = bounce(LOAD).getOutgoingMessages(0);
    assertEquals("scurry.v1/Bounced", message.getArgument().getTypename());
    assertTrue(message.getArgument().getHasValue());
    Bounced bounced = Bounced.parseFrom(message.getArgument().getValue());
    assertEquals(LOAD, bounced.getTypename());
    assertEquals("of digits@2/1", bounced.getMessage().toStringUtf8());
    assertEquals("digits@2/1", bounced.getAddress());
    assertEquals("it died", bounced.getCause());
    assertTrue(bounced.getExecuting());
    assertFalse(bounced.getAlone());
  }

  @Test
  void anUnloadIsDroppedAndNoStateIsTouched() {
    assertEquals(InvocationResponse.getDefaultInstance(), bounce(Bounce.UNLOAD));
  }
}
