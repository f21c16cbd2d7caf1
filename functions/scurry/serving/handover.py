"""Hands entries of a Cluster Serving stream over to the job.

One script does it, whole or not at all: an entry stands in its client's stream until it stands in the job's, and never
in both. So there is nothing to acknowledge or to claim, no consumer group is needed, any number of bridges may run, and
the payload does not leave Redis. What the job cannot read it answers itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from scurry.wire.names import Keys

MOST_ENTRIES: Final = 256
"""Of one stream at a time: others wait meanwhile, and Redis with them."""
MOST_BYTES: Final = 4 << 20
SCRIPT: Final = """
local call = redis.call
local moved, bytes = 0, 0
while moved < tonumber(ARGV[3]) and bytes < tonumber(ARGV[4]) do
  local found = call('XRANGE', KEYS[1], '-', '+', 'COUNT', math.min(8, ARGV[3] - moved))
  for i = 1, #found do
    local id, given, words = found[i][1], found[i][2], {}
    for at = 1, #given, 2 do
      local name = given[at]
      if name == 'uri' or name == 'data' or name == 'serde' then
        words[#words + 1] = name
        words[#words + 1] = given[at + 1]
        bytes = bytes + #given[at + 1]
      end
    end
    call('XADD', KEYS[2], '*', 'model', ARGV[1], 'id', KEYS[1] .. '/' .. id, 'stream', KEYS[1], 'batched', ARGV[2],
      'keep', '0', unpack(words))
    call('XDEL', KEYS[1], id)
    moved = moved + 1
  end
  if #found == 0 then break end
end
return {moved, call('XLEN', KEYS[1]), tonumber(call('HGET', KEYS[3], KEYS[2] .. '@' .. ARGV[1]) or 0)}
"""
"""KEYS: from, to, the counters of answers. ARGV: model, whether tensors are batched, most entries, most bytes. Returns
the entries moved, those left, and the answers that the model ever gave to bulk. Of an entry's fields those that Cluster
Serving knows are handed on."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A stream, and the model that answers it."""

    stream: str
    model: str
    batched: bool = False


def bound_streams(records: dict[str, dict[str, Any]], keys: Keys) -> dict[str, Bound]:
    """The bound streams in the registry's view. Streams of our own are none: they would be moved into themselves."""
    found: dict[str, Bound] = {}
    for model, record in sorted(records.items()):
        for stream, how in (record.get("streams") or {}).items():
            if not stream.startswith(f"{keys.namespace}:"):
                found.setdefault(stream, Bound(stream, model, bool(how.get("batched"))))
    return found


def command(bound: Bound, keys: Keys, most: int = MOST_ENTRIES) -> tuple[str | int, ...]:
    """What moves a handful of entries."""
    return (
        "EVAL", SCRIPT, 3, bound.stream, keys.bulk, keys.answered,
        bound.model, str(int(bound.batched)), min(most, MOST_ENTRIES), MOST_BYTES,
    )  # fmt: skip
