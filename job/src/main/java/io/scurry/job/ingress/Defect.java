// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

/** Why an entry cannot be understood, in one sentence for its sender. */
final class Defect extends Exception {
  private static final long serialVersionUID = 1L;

  Defect(String sentence) {
    super(sentence, null, false, false);
  }
}
