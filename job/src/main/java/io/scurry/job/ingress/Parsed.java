// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.job.Names;
import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Update;

/** What an entry turned out to be: a request (perhaps a defective one), a registry message, or what is refused here. */
final class Parsed {
  /** Null for what is no request. */
  final Request.Builder request;

  /** Null for what is no registry message. */
  final Update update;

  /** What the ingress itself answers; null for what goes to a function. */
  final Reply answer;

  private Parsed(Request.Builder request, Update update, Reply answer) {
    this.request = request;
    this.update = update;
    this.answer = answer;
  }

  static Parsed of(Request.Builder request) {
    return new Parsed(request, null, null);
  }

  static Parsed of(Update update) {
    return new Parsed(null, update, null);
  }

  static Parsed of(Reply answer) {
    return new Parsed(null, null, answer);
  }

  boolean isDefective() {
    return request != null && !request.getDefect().isEmpty();
  }

  /** Key of the function that takes it: the model. */
  String key() {
    if (request == null) {
      return update != null ? update.getModel() : answer.getModel();
    }
    return isDefective() ? Names.NOBODY : request.getModel();
  }

  /** The model it is about; empty when it names none. */
  String model() {
    if (request == null) {
      return key();
    }
    return request.getModel();
  }

  long bodyBytes() {
    return request == null ? 0 : request.getBody().size();
  }

  /** Requests that somebody waits for; the others wait themselves. */
  boolean mayBeRefused() {
    return request != null && !isDefective() && !request.getBulk();
  }
}
