"""A record as people read it."""

from scurry.cli.records import describe, version_rows

ONE = {"version": "1", "state": "ready", "uri": "/1", "pinned": True, "route": False}
TWO = {"version": "2", "state": "registered", "uri": "/2", "unloaded_by": "policy", "reason": "Drained late."}
RECORD = {"versions": [ONE, TWO], "routes": {"1": 3}, "policy": {"latest": 1}, "rollbacks": 4}


def test_what_is_out_of_the_ordinary_has_a_line():
    """Policy, former routes, pins, routes that wait, and who unloaded what."""
    lines = describe("m", RECORD).splitlines()
    assert lines[1].split() == ["m", "1", "ready", "100", "%", "/1"]
    assert lines[3:] == [
        'policy {"latest": 1}',
        "former routes to go back to: 4",
        "version 1 is pinned: workers keep it in memory",
        "version 1 takes no request that names no version, until it is given some",
        "version 2: Drained late.",
        "version 2 was unloaded by the policy: it stays registered",
    ]


def test_rows_are_one_for_each_version():
    """With its share of the requests."""
    assert [row[3] for row in version_rows("m", RECORD)] == ["100 %", "0 %"]
