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

  private void field(String model, String name, String value) {
    read.add(parser.parse(
        Given.entry("1-" + read.size(), "id", "i" + read.size(), "model", model, "inputs", "{}", name, value)));
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
  void aGroupTellsThatItIsPlainAndItsFirstDeadline() throws Exception {
    field("m", "deadline", "3000");
    field("m", "deadline", "2000");
    request("a", "m");
    request("b", "none");
    field("late", "deadline", "2000");
    field("late", "version", "7");
    field("late", "deadline", "1000");
    field("urgent", "priority", "1");
    read.add(parser.parse(Given.entryOf("scurry:bulk", "1-9", "id", "x", "model", "bulk", "inputs", "{}")));
    request("c", "bad name");
    List<String> told = new ArrayList<>();
    for (Mail one : GroupByModel.group(read, false)) {
      Requests group = Requests.parseFrom(one.value.getValue());
      told.add(one.to.id() + ' ' + group.getPlain() + ' ' + group.getFirstDeadline());
    }
    assertEquals(List.of("m true 2000", "none true 0", "late false 0", "urgent false 0", "bulk false 0", "! false 0"),
        told);
  }

  @Test
  void defectsGoToNobodysRouter() throws Exception {
    request("a", "bad name");
    assertEquals(List.of("scurry.v1/Requests for router ! a"), sorted());
  }
}
