"""Redis addresses, taken apart."""

import ssl

import pytest

from scurry.redis.address import Address, Login


def test_a_plain_address_has_host_port_and_database():
    """Port 6379 and database 0 need not be written."""
    assert Address.parse("redis://r") == Address("r", 6379)
    assert Address.parse("redis://r:7000/3") == Address("r", 7000, db=3)


def test_user_and_password_are_decoded_and_never_shown():
    """What is quoted in the URL is sent as it was meant; messages show host and port only."""
    address = Address.parse("redis://ann:p%40ss@r:7000/0")
    assert (address.login.username, address.login.password) == ("ann", "p@ss")
    assert str(address) == "r:7000"


def test_a_greeting_authenticates_selects_and_pings():
    """In this order, so that a Redis that is loading or refuses is noticed."""
    address = Address.parse("redis://ann:secret@r/2")
    assert address.greeting() == [("AUTH", "ann", "secret"), ("SELECT", "2"), ("PING",)]
    assert Address.parse("redis://:secret@r").greeting() == [("AUTH", "secret"), ("PING",)]


def test_a_password_may_stand_in_a_file_that_changes(tmp_path):
    """Its first line is read with each connection; a lone word before the host is the user."""
    address = Address.parse(f"redis://ann@r?password_file={tmp_path}/pw")
    with pytest.raises(FileNotFoundError):
        address.greeting()
    for password in ("one", "two"):
        (tmp_path / "pw").write_text(f"{password}\nmore")
        assert address.greeting() == [("AUTH", "ann", password), ("PING",)]
    assert "two" not in repr(address)


def test_sentinels_are_several_and_have_users_of_their_own():
    """Port 26379 need not be written; the master is named behind them."""
    address = Address.parse("rediss+sentinel://ann:pw@a,b:7,[::1]:8/my%2Fm/3?sentinel_username=s&sentinel_password=t")
    assert address.sentinels == (("a", 26379), ("b", 7), ("::1", 8))
    assert (address.master, address.db, address.tls) == ("my/m", 3, True)
    assert (address.login, address.sentinel_login) == (Login("ann", "pw"), Login("s", "t"))
    node = address.node("10.0.0.2:9")
    assert (str(node), node.db, node.login, node.tls) == ("10.0.0.2:9", 3, address.login, True)


def test_sentinels_are_shown_without_users():
    """In logs."""
    assert str(Address.parse("redis+sentinel://ann:pw@a,b:7/m")) == "a:26379,b:7/m"


def test_a_unix_socket_has_a_path():
    """unix:// takes a path and, as an option, a database."""
    address = Address.parse("unix:///run/redis.sock?db=1")
    assert (address.path, address.db, str(address)) == ("/run/redis.sock", 1, "/run/redis.sock")


def test_tls_verifies_unless_told_not_to():
    """rediss:// checks the certificate; ssl_cert_reqs=none does not."""
    strict = Address.parse("rediss://r").context()
    loose = Address.parse("rediss://r?ssl_cert_reqs=none").context()
    assert strict is not None
    assert strict.verify_mode == ssl.CERT_REQUIRED
    assert loose is not None
    assert loose.verify_mode == ssl.CERT_NONE
    assert Address.parse("redis://r").context() is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://r", "must begin with redis://"),
        ("redis://r/one", "number of a database"),
        ("redis://r,s/0", "host or a port"),
        ("redis+sentinel://a,b", "must name the Sentinels' master"),
        ("redis+sentinel://a/m/one", "number of a database"),
        ("redis+sentinel://a:99999/m", "host or a port"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(url, words):
    """The sentence says how addresses are written."""
    with pytest.raises(ValueError, match=words):
        Address.parse(url)


@pytest.mark.parametrize("url", ["http://me:pa55@h:1", "redis://me:pa55@h:port", "redis://me:pa55@h:99999", "a:pa55@h"])
def test_a_refused_address_shows_no_password(url):
    """The sentence lands in a log."""
    with pytest.raises(ValueError, match=r"\S") as caught:
        Address.parse(url)
    assert "pa55" not in str(caught.value)
