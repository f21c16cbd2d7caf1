// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import java.util.Map;
import org.apache.flink.statefun.extensions.ExtensionModule;

/** Makes the kind {@code scurry.redis.v1/egress} known to module.yaml. */
public final class EgressModule implements ExtensionModule {
  @Override
  public void configure(Map<String, String> globalConfigurations, Binder binder) {
    binder.bindExtension(EgressBinder.KIND, new EgressBinder());
  }
}
