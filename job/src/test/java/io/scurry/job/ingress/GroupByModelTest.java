// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.ingress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.scurry.job.link.Keys;
import io.scurry.wire.Messages.Request;
import io.scurry.wire.Messages.Requests;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What one read brings, grouped by model. */
class GroupByModelTest {
  private final EntryParser parser = new EntryParser(new Keys("scurry"), false);
  private final List<Parsed> read = new ArrayList<>();

  private void request(String id, String model) {
    read.add(parser.parse(Given.entry("1-" + read.size(), "id", id, "model", model, "inputs", "{}")));
  }

  private void update(String id, String model) {
    read.add(parser.parse(
        Given.entry("1-" + read.size(), "id", id, "model", model, "kind", "registry", "update", "{}")));
  }

  private List<String> sorted() throws Exception {
    return sorted(false);
  }

  private List<String> sorted(boolean replayed) throws Exception {
    List<String> mail = new ArrayList<>();
    for (Mail one : GroupByModel.group(read, replayed)) {
      StringBuilder line = new StringBuilder(one.toString());
      if (one.value.getTypename().equals("scurry.v1/Requests")) {
        assertEquals(replayed, Requests.parseFrom(one.value.getValue()).getReplayed());
        for (Request request : Requests.parseFrom(one.value.getValue()).getRequestsList()) {
          line.append(' ').append(request.getId());
        }
      }
      mail.add(line.toString());
    }
    return mail;
  }

  @Test
  void oneMessagePerModelInStreamOrder() throws Exception {
    request("a", "m");
    request("b", "n");
    request("c", "m");
    assertEquals(
        List.of("scurry.v1/Requests for router m a c", "scurry.v1/Requests for router n b"), sorted());
  }

  @Test
  void aRegistryMessageStaysBehindTheRequestsOfItsModel() throws Exception {
    request("a", "m");
    request("b", "n");
    update("u", "m");
    request("c", "m");
    assertEquals(
        List.of("scurry.v1/Requests for router m a", "scurry.v1/Update for registry m",
            "scurry.v1/Requests for router n b", "scurry.v1/Requests for router m c"),
        sorted());
  }

  @Test
  void whatIsReadAgainGoesOneWay() throws Exception {
    request("a", "m");
    update("u", "m");
    request("c", "m");
    assertEquals(
        List.of("scurry.v1/Requests for router m a", "scurry.v1/Update for router m", "scurry.v1/Requests for router m c"),
        sorted(true));
  }

  @Test
  void defectsGoToNobodysRouter() throws Exception {
    request("a", "bad name");
    assertEquals(List.of("scurry.v1/Requests for router ! a"), sorted());
  }
}
