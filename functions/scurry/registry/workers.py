"""What the registry tells workers: to load, to drop, to let go.

The pool of the version says whose function is told. A message for which the job has no endpoint would wait for ever:
it is left out.
"""

from __future__ import annotations

from scurry.endpoint.call import Call
from scurry.registry import pools
from scurry.registry.record import find
from scurry.registry.steps import AskLoad, AskUnload, Unpin
from scurry.wire import addresses
from scurry.wire.messages_pb2 import Load, Record, Unload
from scurry.wire.names import TYPE_PREFIX
from scurry.wire.pools import function_of


def tell(call: Call, record: Record, effect: AskLoad | AskUnload | Unpin, functions: tuple[str, ...] | None) -> None:
    """Send what an effect asks for to the workers it is about."""
    if isinstance(effect, AskLoad):
        _load(call, record, effect, functions)
        return
    unload = Unload(model=record.model, version=effect.version, identity=effect.identity)
    if isinstance(effect, AskUnload):
        unload.generation = effect.generation
    else:
        unload.unpin = True
    _send(call, functions, effect.pool, addresses.Load(record.model, effect.version), unload)


def _load(call: Call, record: Record, effect: AskLoad, functions: tuple[str, ...] | None) -> None:
    entry = find(record, effect.version)
    if entry is not None:
        load = Load(model=record.model, version=effect.version, lane=effect.lane, spec=entry.spec)
        load.apart = entry.losses > 0
        _send(call, functions, entry.spec.pool, addresses.Load(record.model, effect.version, effect.lane), load)


def _send(
    call: Call, functions: tuple[str, ...] | None, pool: str, address: addresses.Load, value: Load | Unload
) -> None:
    if pools.reaches(functions, pool):
        call.send(function_of(pool), str(address), f"{TYPE_PREFIX}{type(value).__name__}", value.SerializeToString())
