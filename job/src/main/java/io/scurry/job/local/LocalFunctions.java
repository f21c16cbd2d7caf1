// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.local;

import java.lang.reflect.Field;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.statefun.flink.core.StatefulFunctionsUniverse;
import org.apache.flink.statefun.sdk.StatefulFunctionProvider;
import org.apache.flink.statefun.sdk.spi.StatefulFunctionModule;

/** The functions that the job serves itself. */
public final class LocalFunctions implements StatefulFunctionModule {
  private static final String PROVIDERS = "namespaceFunctionProviders";

  @Override
  public void configure(Map<String, String> globalConfiguration, Binder binder) {
    binder.bindFunctionProvider(Answers.TYPE, type -> new Answers());
  }

  /** Lets {@link NoEndpoint} stand in for what nobody serves. StateFun has no place for such a provider of its own. */
  public static void standIn(StatefulFunctionsUniverse universe) {
    try {
      Field field = StatefulFunctionsUniverse.class.getDeclaredField(PROVIDERS);
      field.setAccessible(true);
      field.set(universe, new Providers(universe.namespaceFunctions()));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("This StateFun has no " + PROVIDERS + ".", e);
    }
  }

  /** Providers by namespace, with one for every namespace that has none. */
  private static final class Providers extends HashMap<String, StatefulFunctionProvider> {
    private static final long serialVersionUID = 1L;

    Providers(Map<String, StatefulFunctionProvider> bound) {
      super(bound);
    }

    @Override
    public StatefulFunctionProvider get(Object namespace) {
      StatefulFunctionProvider bound = super.get(namespace);
      return bound != null ? bound : NoEndpoint::new;
    }
  }
}
