// SPDX-License-Identifier: Apache-2.0
package io.scurry.job;

/** A setting that cannot work; its message is one sentence for whoever wrote it. */
public final class Misconfigured extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  public Misconfigured(String sentence) {
    super(sentence);
  }
}
