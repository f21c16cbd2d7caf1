// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import com.google.protobuf.ByteString;
import io.scurry.job.link.Keys;
import io.scurry.wire.Messages.Request;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Takes large inline bodies out of requests, so that only their keys travel; pure. */
final class Parking {
  private Parking() {}

  /** Empties the bodies above the threshold; returns what is to be stored under which key. */
  static Map<String, byte[]> take(List<Parsed> read, int threshold, Keys keys) {
    Map<String, byte[]> parked = new HashMap<>();
    for (Parsed parsed : read) {
      Request.Builder request = parsed.request;
      if (request != null && request.getBody().size() > threshold) {
        // Named for its entry: no tensor of the client is called so, and another try has another key.
        String key = keys.payloadIn(request.getId(), "body@" + entryId(request));
        parked.putIfAbsent(key, request.getBody().toByteArray());
        request.setBody(ByteString.EMPTY).setPayload(key);
      }
    }
    return parked;
  }

  private static String entryId(Request.Builder request) {
    return request.getEntry().substring(request.getEntry().lastIndexOf('/') + 1);
  }
}
