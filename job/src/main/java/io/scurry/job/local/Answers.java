// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.local;

import io.scurry.job.Names;
import org.apache.flink.statefun.sdk.Context;
import org.apache.flink.statefun.sdk.FunctionType;
import org.apache.flink.statefun.sdk.StatefulFunction;
import org.apache.flink.statefun.sdk.TypeName;
import org.apache.flink.statefun.sdk.io.EgressIdentifier;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/** The function {@code scurry/answers}: what the ingress itself answers goes on to the egress, which it cannot reach. */
final class Answers implements StatefulFunction {
  static final FunctionType TYPE = type(Names.ANSWERS);
  static final EgressIdentifier<TypedValue> EGRESS = egress();

  @Override
  public void invoke(Context context, Object replies) {
    context.send(EGRESS, (TypedValue) replies);
  }

  static FunctionType type(String name) {
    TypeName parsed = TypeName.parseFrom(name);
    return new FunctionType(parsed.namespace(), parsed.name());
  }

  private static EgressIdentifier<TypedValue> egress() {
    TypeName name = TypeName.parseFrom(Names.EGRESS);
    return new EgressIdentifier<>(name.namespace(), name.name(), TypedValue.class);
  }
}
