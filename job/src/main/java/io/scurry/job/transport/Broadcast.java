// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction.InvocationResponse;

/** One call that goes to several processes, and is answered once each has answered or is lost. */
final class Broadcast {
  /** What a lost process answers: nothing is left there to be said. */
  static final FromFunction LOST =
      FromFunction.newBuilder().setInvocationResult(InvocationResponse.getDefaultInstance()).build();

  private final Call original;
  private final List<FromFunction> answers = new ArrayList<>();
  private final int processes;

  Broadcast(Call original, int processes) {
    this.original = original;
    this.processes = processes;
  }

  /** A call of its own for one process; its answer counts for the original. */
  Call copy() {
    Call copy = new Call(original.request, original.metrics, original.lease);
    copy.key = original.key;
    copy.apart = true;
    copy.copied = true;
    copy.answer.thenAccept(this::add);
    return copy;
  }

  private void add(FromFunction answer) {
    answers.add(answer);
    if (answers.size() == processes) {
      original.answer.complete(merged());
    }
  }

  /** All that was sent; when one process lacks states, its answer, so that all are asked again with them. */
  private FromFunction merged() {
    InvocationResponse.Builder merged = InvocationResponse.newBuilder();
    for (FromFunction answer : answers) {
      if (answer.hasIncompleteInvocationContext()) {
        return answer;
      }
      merged.mergeFrom(answer.getInvocationResult());
    }
    return FromFunction.newBuilder().setInvocationResult(merged).build();
  }
}
