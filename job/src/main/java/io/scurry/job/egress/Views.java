// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;

/** The last record of each model that was written, so that a Redis that lost them gets them again. */
final class Views {
  /** Model and record; part of every checkpoint: never change it. */
  static final TypeInformation<Tuple2<String, String>> TYPE = Types.TUPLE(Types.STRING, Types.STRING);

  private final Map<String, String> records = new ConcurrentHashMap<>();

  /** An empty record forgets the model. */
  void put(String model, String record) {
    if (record.isEmpty()) {
      records.remove(model);
    } else {
      records.put(model, record);
    }
  }

  Map<String, String> records() {
    return Map.copyOf(records);
  }

  List<Tuple2<String, String>> tuples() {
    List<Tuple2<String, String>> tuples = new ArrayList<>();
    records.forEach((model, record) -> tuples.add(Tuple2.of(model, record)));
    return tuples;
  }
}
