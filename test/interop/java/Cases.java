// SPDX-License-Identifier: Apache-2.0
package io.grpc.testing.integration;

import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;

/**
 * Cases CASE,... LOAD_BALANCING_CONFIG FLAG...: grpc-java's interoperability client, several cases in one JVM.
 *
 * <p>Prints "ok CASE" or "FAILED CASE: why" for each.
 */
public final class Cases {
  private static void call(TestServiceClient client, String name) throws Exception {
    Method method = TestServiceClient.class.getDeclaredMethod(name);
    method.setAccessible(true);
    method.invoke(client);
  }

  private static void runCase(String name, String orcaConfig, List<String> flags) throws Exception {
    List<String> all = new ArrayList<>(flags);
    all.add("--test_case=" + name);
    if (name.startsWith("orca_")) {
      all.add("--service_config_json=" + orcaConfig);
    }
    addBalancer();
    TestServiceClient client = new TestServiceClient();
    client.parseArgs(all.toArray(new String[0]));
    client.setUp();
    try {
      call(client, "run");
    } finally {
      call(client, "tearDown");
    }
  }

  public static void main(String[] args) {
    List<String> flags = List.of(args).subList(2, args.length);
    boolean good = true;
    for (String name : args[0].split(",")) {
      try {
        runCase(name, args[1], flags);
        System.out.println("ok " + name);
      } catch (Throwable thrown) {
        Throwable why = thrown instanceof InvocationTargetException ? thrown.getCause() : thrown;
        while (why.getCause() != null) {
          why = why.getCause();
        }
        System.out.println("FAILED " + name + ": " + String.valueOf(why).replace('\n', ' '));
        good = false;
      }
    }
    System.exit(good ? 0 : 1);
  }

  /**
   * What the client's own main does before it runs anything: the balancer that looks at load reports. Each client
   * takes it away when it's torn down.
   */
  private static void addBalancer() throws ReflectiveOperationException {
    LoadBalancerProvider provider = new CustomBackendMetricsLoadBalancerProvider();
    Field field = TestServiceClient.class.getDeclaredField("customBackendMetricsLoadBalancerProvider");
    field.setAccessible(true);
    field.set(null, provider);
    LoadBalancerRegistry.getDefaultRegistry().register(provider);
  }
}
