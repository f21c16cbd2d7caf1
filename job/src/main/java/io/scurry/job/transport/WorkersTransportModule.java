// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

import io.scurry.job.Names;
import java.util.Map;
import org.apache.flink.statefun.extensions.ExtensionModule;
import org.apache.flink.statefun.sdk.TypeName;

/** Binds the transport {@code scurry.transports.v1/workers}; its properties are those of {@link TransportSettings}. */
public final class WorkersTransportModule implements ExtensionModule {
  public static final TypeName TYPE = TypeName.parseFrom(Names.TRANSPORT);

  @Override
  public void configure(Map<String, String> globalConfigurations, Binder binder) {
    binder.bindExtension(TYPE, new WorkersClientFactory());
  }
}
