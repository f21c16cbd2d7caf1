// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.scurry.job.Misconfigured;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
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
    "redis://my_redis:8,                 my_redis, 8, 0, -, -, false",
    "redis://u@h?password_file=/f,       h, 6379, 0, u, -, false",
    "redis://:@h?password_file=/f,       h, 6379, 0, -, '', false",
    "'redis+sentinel://u:pw@h,i:5/m/2',  h, 26379, 2, u, pw, false",
    "'rediss+sentinel://[::1]:5,i/m',    ::1, 5,  0, -, -, true",
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
  @ValueSource(strings = {"h:6379", "http://h", "redis://", "redis://h/x", "redis://h x", "rediss://h?ssl_certfile=x",
      "redis+sentinel://h", "redis+sentinel://h/", "redis+sentinel://h,/m", "redis+sentinel://h/m/x", "redis://h,i/0", "redis://%zz@h"})
  void whatIsNoAddressIsOneSentence(String url) {
    String sentence = assertThrows(Misconfigured.class, () -> RedisAddress.parse(url)).getMessage();
    assertTrue(sentence.endsWith("."), sentence);
  }

  @Test
  void neverShowsItsPassword() {
    assertEquals("rediss://u:***@h:1/2", RedisAddress.parse("rediss://u:secret@h:1/2").toString());
  }

  @Test
  void sentinelsAreSeveralAndHaveSecretsOfTheirOwn(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("pw"), "s3cret\nmore");
    RedisAddress address =
        RedisAddress.parse("redis+sentinel://u:pw@h:1,[::2],i/m?sentinel_username=s&sentinel_password_file=" + file);
    assertEquals(List.of(new HostAndPort("h", 1), new HostAndPort("::2", 26379), new HostAndPort("i", 26379)),
        address.sentinels());
    assertEquals("m", address.master);
    assertEquals("redis+sentinel://u:***@h:1,[::2],i/m/0", address.toString());
    assertEquals("s3cret", address.sentinel("n", 1).getPassword());
    assertEquals("s", address.sentinel("n", 1).getUser());
    assertEquals("pw", address.client("n", 1, 1).getPassword());
    assertEquals(List.of(), RedisAddress.parse("redis://h").sentinels());
  }

  @Test
  void aPasswordIsReadFromItsFileWithEachConnection(@TempDir Path folder) throws IOException {
    RedisAddress address = RedisAddress.parse("redis://u@h?password_file=" + folder.resolve("pw"));
    JedisConnectionException missing =
        assertThrows(JedisConnectionException.class, () -> address.client("n", 1, 1));
    assertTrue(RedisLink.passes(missing), "a secret may be mounted later");
    for (String password : List.of("one", "two")) {
      Files.writeString(folder.resolve("pw"), password + "\n");
      assertEquals(password, address.client("n", 1, 1).getPassword());
    }
    assertEquals("redis://u:***@h:6379/0", address.toString());
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
    assertTrue(RedisLink.passes(new JedisDataException(
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)")));
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
