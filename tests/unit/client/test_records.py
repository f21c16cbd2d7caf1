"""What the types of records promise is what the registry writes."""

from __future__ import annotations

import json

from scurry.client.records import ModelRecord, Tenant, VersionRecord
from scurry.registry.views import view
from scurry.wire.messages_pb2 import Record, RolloutRecord, TenantLimit
from scurry.wire.messages_pb2 import VersionRecord as Kept


def test_every_field_is_written() -> None:
    """By the registry's own view."""
    rollout = RolloutRecord()
    rollout.plan.steps.append(1)
    shown = json.loads(view(Record(model="m", versions=[Kept(version="1")], rollout=rollout)))
    assert ModelRecord.__annotations__.keys() <= shown.keys()
    assert VersionRecord.__annotations__.keys() <= shown["versions"][0].keys()


def test_a_tenant_has_the_messages_fields() -> None:
    """No more and no less."""
    assert Tenant.__annotations__.keys() == {field.name for field in TenantLimit.DESCRIPTOR.fields}
