// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import org.apache.flink.statefun.sdk.io.Router;

/** Hands each message from the ingress to the function it is addressed to. */
final class MailRouter implements Router<Mail> {
  @Override
  @SuppressWarnings({"unchecked", "rawtypes"})
  public void route(Mail mail, Downstream<Mail> downstream) {
    ((Downstream) downstream).forward(mail.to, mail.value);
  }
}
