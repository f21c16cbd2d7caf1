// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.redis;

import java.util.Map;
import org.apache.flink.statefun.extensions.ExtensionModule;

/** Makes the kinds {@code scurry.redis.v1/ingress} and {@code scurry.redis.v1/egress} known to module.yaml. */
public final class RedisExtensionModule implements ExtensionModule {
  @Override
  public void configure(Map<String, String> globalConfigurations, Binder binder) {
    binder.bindExtension(IngressBinder.KIND, new IngressBinder());
    binder.bindExtension(EgressBinder.KIND, new EgressBinder());
  }
}
