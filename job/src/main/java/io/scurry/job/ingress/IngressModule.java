// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import java.util.Map;
import org.apache.flink.statefun.extensions.ExtensionModule;

/** Makes the kind {@code scurry.redis.v1/ingress} known to module.yaml. */
public final class IngressModule implements ExtensionModule {
  @Override
  public void configure(Map<String, String> globalConfigurations, Binder binder) {
    binder.bindExtension(IngressBinder.KIND, new IngressBinder());
  }
}
