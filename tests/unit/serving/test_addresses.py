"""Where the processes of one `scurry up` listen."""

import itertools
from pathlib import Path

import pytest

from scurry.redis.address import Address
from scurry.serving import addresses
from scurry.serving.addresses import choose
from scurry.settings import UpSettings


@pytest.fixture(autouse=True)
def wanted(monkeypatch):
    """Free ports are 50000 and up; what was asked for is recorded."""
    asked, free = [], itertools.count(50000)

    def pick(each):
        asked.extend(each)
        return [given or preferred or next(free) for _, given, preferred, _ in each]

    monkeypatch.setattr(addresses, "pick", pick)
    return asked


def test_given_ports_hold_and_others_are_free():
    """Redis is ours and on loopback."""
    at = choose(UpSettings(http_port=8000), 2, {})
    assert at.http_url == "http://127.0.0.1:8000"
    assert at.redis_url == f"redis://127.0.0.1:{at.redis}/0"
    assert len(set(at.workers)) == 2


def test_a_redis_of_others_is_taken_as_it_is():
    """Then no port is ours."""
    at = choose(UpSettings(redis_url="redis://r:1/0"), 1, {})
    assert (at.redis_url, at.redis) == ("redis://r:1/0", 0)


def test_workers_follow_the_first_port():
    """8110, 8111, …"""
    assert choose(UpSettings(worker_port=8110), 3, {}).workers == (8110, 8111, 8112)


def test_the_ports_of_last_time_are_preferred():
    """Clients find Redis where it was."""
    first = choose(UpSettings(), 2, {})
    second = choose(UpSettings(), 2, first.ports())
    assert second == first


def test_what_is_not_a_port_is_not_preferred():
    """A file that somebody edited does no harm."""
    assert choose(UpSettings(), 1, {"http": "x", "workers": ["y"]}).http >= 50000


def test_the_web_ui_can_be_off():
    """-1 is the job's own word for it."""
    at = choose(UpSettings(ui_port=-1), 1, {})
    assert (at.ui, at.ui_url) == (-1, "")


def test_a_gateway_on_every_interface_is_shown_as_this_machine(wanted):
    """0.0.0.0 can be bound but not typed into a browser; only the gateway's ports are there."""
    assert choose(UpSettings(host="0.0.0.0", http_port=80), 1, {}).http_url == "http://127.0.0.1:80"
    outer = [flag for flag, _, _, host in wanted if host == "0.0.0.0"]
    assert outer == ["--http-port", "--grpc-port", "--metrics-port"]


def test_grpc_has_a_port_of_its_own():
    """Told beside HTTP's, and kept for the next time."""
    at = choose(UpSettings(host="0.0.0.0", grpc_port=8001), 1, {})
    assert at.grpc_url == at.shown()["grpc_url"] == "grpc://127.0.0.1:8001"
    assert at.ports()["grpc"] == 8001


def test_gateways_share_one_port():
    """How many there are is chosen anew each time; each has a page of its own, at the port of last time."""
    at = choose(UpSettings(), 1, {}, gateways=3)
    assert at.gateways == 3
    assert at.ports().keys() == {
        "redis", "functions", "workers", "http", "grpc", "metrics", "more_metrics", "bridge", "up", "job_metrics", "ui",
    }  # fmt: skip
    assert len(set(at.metrics_urls)) == 3
    assert choose(UpSettings(), 1, at.ports(), gateways=3).metrics_urls == at.metrics_urls
    assert choose(UpSettings(), 1, at.ports()).gateways == 1


def test_flinks_metrics_are_off_unless_asked_for():
    """0 picks a free port; the supervisor's own page has one in any case."""
    at = choose(UpSettings(), 1, {})
    assert (at.job_metrics_url, at.up > 0) == ("", True)
    asked = choose(UpSettings(job_metrics_port=9249), 1, at.ports())
    assert (asked.job_metrics_url, asked.up) == ("http://127.0.0.1:9249/metrics", at.up)


def test_our_own_redis_has_a_socket_beside_its_port():
    """For the Python processes; whoever looks for Redis is told the port."""
    at = choose(UpSettings(), 1, {}, Path("/data/a b/redis.sock"))
    assert at.inner_redis_url == "unix:///data/a%20b/redis.sock"
    assert Address.parse(at.inner_redis_url).path == "/data/a b/redis.sock"
    assert at.shown()["redis_url"] == f"redis://127.0.0.1:{at.redis}/0"
    assert choose(UpSettings(), 1, at.ports()).redis_socket == ""


def test_without_a_socket_everybody_uses_the_port():
    """A Redis of others, or a directory whose name is too long."""
    assert choose(UpSettings(redis_url="redis://r:1/0"), 1, {}, Path("/x.sock")).inner_redis_url == "redis://r:1/0"
    at = choose(UpSettings(), 1, {}, None)
    assert at.inner_redis_url == at.redis_url
