"""Tables that a process remembers."""

from __future__ import annotations

import pytest

from scurry.router.tables import Tables
from scurry.wire.messages_pb2 import RouterState, Routes, VersionRoute


def test_a_remembered_table_serves_only_the_state_it_was_kept_with() -> None:
    """Another state, as after a restore, is read anew; a table that is not put back is forgotten."""
    tables = Tables()
    state = RouterState(routes=Routes(epoch=1, versions=[VersionRoute(version="1", weight=1)])).SerializeToString()
    other = RouterState(routes=Routes(epoch=2, versions=[VersionRoute(version="2", weight=1)])).SerializeToString()
    table = tables.take("m", state)
    table.changed = True
    tables.put("m", state, table)
    again = tables.take("m", state)
    assert again is table
    assert not again.changed
    assert tables.take("m", state) is not table
    tables.put("m", state, table)
    assert tables.take("m", other).epoch == 2
    tables.put("gone", None, table)
    assert repr(tables) == "<Tables of 0 models>"


def test_no_more_tables_are_remembered_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one put longest ago goes first."""
    monkeypatch.setattr("scurry.router.tables.REMEMBERED", 2)
    tables = Tables()
    state = RouterState(routes=Routes(epoch=1, pending=["1"])).SerializeToString()
    kept = {model: tables.take(model, state) for model in "abc"}
    for model, table in kept.items():
        tables.put(model, state, table)
    assert tables.take("a", state) is not kept["a"]
    assert tables.take("b", state) is kept["b"]
    assert tables.take("c", state) is kept["c"]
