// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import io.scurry.wire.Messages.Reply;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Update;

/** Replies of the ingress itself, to what it does not let in; pure. */
final class Refusals {
  private Refusals() {}

  static Reply of(Request.Builder request, String error, String sentence) {
    Reply.Builder reply = Reply.newBuilder()
        .setId(request.getId())
        .setEntry(request.getEntry())
        .setReply(request.getReply())
        .setModel(request.getModel())
        .setEncoding(request.getEncoding())
        .setError(error)
        .setMessage(sentence)
        .setBulk(request.getBulk())
        .setStream(request.getStream())
        .setUri(request.getUri())
        .setDigest(request.getDigest());
    if (request.hasKeep()) {
      reply.setKeep(request.getKeep());
    }
    return reply.build();
  }

  static Reply of(Update update, String error, String sentence) {
    Reply.Builder reply = Reply.newBuilder()
        .setId(update.getId())
        .setEntry(update.getEntry())
        .setReply(update.getReply())
        .setModel(update.getModel())
        .setError(error)
        .setMessage(sentence)
        .setDigest(update.getDigest());
    if (update.hasKeep()) {
      reply.setKeep(update.getKeep());
    }
    return reply.build();
  }
}
