// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Requests;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Groups what one read brought by model, each model's messages in stream order; pure. */
final class GroupByModel {
  private GroupByModel() {}

  /** {@code replayed}: a job that was lost since may have read and answered these before. */
  static List<Mail> group(List<Parsed> read, boolean replayed) {
    List<Mail> mail = new ArrayList<>();
    Map<String, Requests.Builder> groups = new LinkedHashMap<>();
    for (Parsed parsed : read) {
      String key = parsed.key();
      if (parsed.answer != null) {
        mail.add(Mail.of(parsed.answer));
        continue;
      }
      if (parsed.update == null) {
        add(groups.computeIfAbsent(key, model -> empty(replayed)), parsed.request);
        continue;
      }
      // A registry message must not overtake the requests of its model that stand before it.
      Requests.Builder before = groups.remove(key);
      if (before != null) {
        mail.add(Mail.of(key, before.build()));
      }
      mail.add(Mail.of(replayed ? parsed.update.toBuilder().setReplayed(true).build() : parsed.update));
    }
    groups.forEach((model, requests) -> mail.add(Mail.of(model, requests.build())));
    return mail;
  }

  private static Requests.Builder empty(boolean replayed) {
    return Requests.newBuilder().setReplayed(replayed).setPlain(true);
  }

  /** The router need not look at each request of a plain group. */
  private static void add(Requests.Builder group, Request.Builder request) {
    group.addRequests(request);
    boolean plain = request.getVersion().isEmpty() && request.getPriority() == 0 && request.getDefect().isEmpty()
        && !request.getBulk();
    long deadline = request.getDeadline();
    if (group.getPlain() && !plain) {
      group.setPlain(false).clearFirstDeadline();
    } else if (group.getPlain() && deadline > 0
        && (group.getFirstDeadline() == 0 || deadline < group.getFirstDeadline())) {
      group.setFirstDeadline(deadline);
    }
  }
}
