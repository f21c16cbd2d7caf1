// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;

/** Asks Sentinels where the master is; the twin of {@code redis/sentinel.py}. */
final class Sentinels {
  private static final Logger LOG = LoggerFactory.getLogger(Sentinels.class);
  private static final int TIMEOUT_MILLIS = 2_000;

  private final RedisAddress address;
  private int first;

  Sentinels(RedisAddress address) {
    this.address = address;
  }

  /**
   * Where to connect: Redis itself, or what a Sentinel says. Each question begins with another one, because one that is
   * cut off from the others may go on naming a master that is none any more.
   */
  HostAndPort master(String name) {
    List<HostAndPort> sentinels = address.sentinels();
    if (sentinels.isEmpty()) {
      return address.node();
    }
    String said = "";
    int begin = first++;
    for (int i = 0; i < sentinels.size(); i++) {
      HostAndPort sentinel = sentinels.get(Math.floorMod(begin + i, sentinels.size()));
      try (Jedis jedis = new Jedis(sentinel, address.sentinel(name, TIMEOUT_MILLIS))) {
        List<String> found = jedis.sentinelGetMasterAddrByName(address.master);
        if (found != null && found.size() == 2) {
          return new HostAndPort(found.get(0), Integer.parseInt(found.get(1)));
        }
        said = "it knows no master " + address.master;
      } catch (JedisException e) {
        said = e.getMessage();
      }
      LOG.debug("The Sentinel at {}: {}", sentinel, said);
    }
    throw new JedisConnectionException("No Sentinel of " + address + " names a master: " + said);
  }
}
