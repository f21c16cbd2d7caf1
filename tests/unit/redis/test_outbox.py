"""Commands that are not sent yet."""

import asyncio

from scurry.redis.connection import Command, pack
from scurry.redis.outbox import UNSENT, Outbox


async def test_commands_keep_their_order_and_what_is_owed_goes_first():
    """What was sent in vain came before what was never sent."""
    loop = asyncio.get_running_loop()
    outbox = Outbox()
    new, owed = Command(pack("NEW"), loop.create_future()), Command(pack("OWED"), loop.create_future())
    outbox.add(new)
    outbox.return_first([owed, Command(pack("NOBODY"))])
    assert repr(outbox) == "<Outbox 2 unsent>"
    assert outbox.take() == [owed, new]
    assert len(outbox) == 0


async def test_an_outage_does_not_fill_the_memory():
    """What nobody waits for any more is dropped every so often."""
    outbox = Outbox()
    for _ in range(3 * UNSENT):
        future = asyncio.get_running_loop().create_future()
        outbox.add(Command(pack("SET"), future))
        future.cancel()
    assert len(outbox) <= UNSENT
