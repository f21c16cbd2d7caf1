// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.scurry.job.Misconfigured;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/** One URL says where Redis is, and which failures of it pass. */
class RedisAddressTest {
  @ParameterizedTest
  @CsvSource(nullValues = "-", value = {
    "redis://h,                          h, 6379, 0, -, -, false",
    "redis://h:1/3,                      h, 1,    3, -, -, false",
    "redis://:pw@h,                      h, 6379, 0, -, pw, false",
    "redis://pw@h,                       h, 6379, 0, -, pw, false",
    "rediss://u:p%40%2F%2B+@h:7/,        h, 7,    0, u, p@/++, true",
    "redis://[::1]:5,                    ::1, 5,  0, -, -, false",
    "redis://h/1?protocol=3,             h, 6379, 1, -, -, false",
  })
  void isRead(String url, String host, int port, int database, String user, String password, boolean tls) {
    RedisAddress address = RedisAddress.parse(url);
    assertEquals(host, address.host);
    assertEquals(port, address.port);
    assertEquals(database, address.database);
    assertEquals(user, address.user);
    assertEquals(password, address.password);
    assertEquals(tls, address.tls);
  }

  @ParameterizedTest
  @ValueSource(strings = {"h:6379", "http://h", "redis://", "redis://h/x", "redis://h x", "rediss://h?ssl_certfile=x"})
  void whatIsNoAddressIsOneSentence(String url) {
    String sentence = assertThrows(Misconfigured.class, () -> RedisAddress.parse(url)).getMessage();
    assertTrue(sentence.endsWith("."), sentence);
  }

  @Test
  void neverShowsItsPassword() {
    assertEquals("rediss://u:***@h:1/2", RedisAddress.parse("rediss://u:secret@h:1/2").toString());
  }

  @Test
  void tlsChecksTheHostNameUnlessToldNotTo() {
    DefaultJedisClientConfig checked = RedisAddress.parse("rediss://h").client("n", 1, 1);
    assertEquals("HTTPS", checked.getSslParameters().getEndpointIdentificationAlgorithm());
    DefaultJedisClientConfig unchecked = RedisAddress.parse("rediss://h?ssl_cert_reqs=none").client("n", 1, 1);
    assertNotNull(unchecked.getSslSocketFactory());
    assertThrows(Misconfigured.class,
        () -> RedisAddress.parse("rediss://h?ssl_ca_certs=/no/such/file").client("n", 1, 1));
  }

  @Test
  void outagesPassAndMistakesDoNot() {
    assertTrue(RedisLink.passes(new JedisConnectionException("refused")));
    assertTrue(RedisLink.passes(new JedisDataException("LOADING Redis is loading the dataset in memory")));
    assertTrue(RedisLink.passes(new JedisDataException("ERR Error running script: -OOM command not allowed")));
    assertFalse(RedisLink.passes(new JedisDataException("BUSYGROUP Consumer Group name already exists")));
    assertFalse(RedisLink.passes(new JedisAccessControlException("WRONGPASS invalid username-password pair")));
  }

  @Test
  void retriesSlowDownFrom50MillisecondsTo5Seconds() {
    assertEquals(50, RedisLink.backoff(0));
    assertEquals(100, RedisLink.backoff(1));
    assertEquals(5_000, RedisLink.backoff(7));
    assertEquals(5_000, RedisLink.backoff(1_000));
  }
}
