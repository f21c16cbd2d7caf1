// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import io.scurry.job.link.Specs;

/** Specs as tests want them. */
final class Given {
  private Given() {}

  static EgressSpec egress(String... fields) {
    return new EgressSpec(Specs.of(fields));
  }
}
