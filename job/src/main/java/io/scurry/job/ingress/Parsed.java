// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.job.Names;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Update;

/** What an entry turned out to be: a request (perhaps a defective one) or a registry message. */
final class Parsed {
  /** Null for a registry message. */
  final Request.Builder request;

  /** Null for a request. */
  final Update update;

  private Parsed(Request.Builder request, Update update) {
    this.request = request;
    this.update = update;
  }

  static Parsed of(Request.Builder request) {
    return new Parsed(request, null);
  }

  static Parsed of(Update update) {
    return new Parsed(null, update);
  }

  boolean isDefective() {
    return request != null && !request.getDefect().isEmpty();
  }

  /** Key of the function that takes it: the model. */
  String key() {
    if (update != null) {
      return update.getModel();
    }
    return isDefective() ? Names.NOBODY : request.getModel();
  }
}
