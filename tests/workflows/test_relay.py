"""The relay sends on what nobody settled, and what can never be settled keeps nothing back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from activities import relay
from activities.relay import Relay
from domain.language.commands import Command, Wish
from domain.language.holds import PlaceHold
from domain.language.names import Author, Decision, HoldReason, PhaseId, RequestId
from domain.language.phases import Decide
from domain.language.protocol import CombinedProtocol
from store import inbox
from store.database import Database
from store.tables import CommandRow
from temporal.parcel import pack_command, unpack_refusal
from tests.world import NURSE, PRESCRIBER, World, a_world

HOLD = PlaceHold(HoldReason.OTHER, "a note")


@pytest.fixture
async def world(database: Database, protocol: CombinedProtocol) -> AsyncIterator[World]:
    """A clinic with one enrolled patient."""
    async with a_world(database, protocol) as made:
        await made.enrol((await made.now()).date() + timedelta(days=7))
        await made.settled()
        yield made


async def _receive(world: World, by: Author, wish: Wish, pathway_id: str = "") -> str:
    """Commit a command to the inbox as the API does, and die before it is sent."""
    command = Command(RequestId(str(uuid4())), by, wish)
    received = inbox.Received(
        command.id,
        pathway_id or world.pathway_id,
        "manhattan",
        wish.kind,
        by.id,
        command.id,
        "f",
        pack_command(command),
    )
    async with world.database.begin() as tx:
        await inbox.receive(tx, received, await world.now())
    return command.id


async def _row(world: World, command: str) -> CommandRow:
    async with world.database.begin() as tx:
        row = await inbox.find(tx, command)
    assert row is not None
    return row


async def test_what_waits_on_an_ended_pathway_is_refused(world: World):
    """A command that nobody settled before its pathway ended is rejected, and says why."""
    await world.do(PRESCRIBER, Decide(PhaseId("esketamine-induction"), Decision.STOP, "Wish."))
    await world.settled()
    late = await _receive(world, NURSE, HOLD)
    sending = Relay(world.database, world.client, world.clock)
    for _ in range(relay.LEAVE_ALONE + 1):
        await sending.look()
    row = await _row(world, late)
    assert row.state == "rejected"
    assert "the pathway is stopped" in unpack_refusal(row.problem or {}).message


async def test_commands_that_nobody_answers_keep_no_other_back(world: World):
    """Sixty commands to a workflow that is not there, and one that is: the one is applied."""
    for _ in range(relay.MOST_AT_ONCE + 10):
        await _receive(world, NURSE, HOLD, pathway_id="nowhere")
    good = await _receive(world, NURSE, HOLD)
    sending = Relay(world.database, world.client, world.clock)
    for _ in range(2 * relay.LEAVE_ALONE + 2):
        await sending.look()
    await world.settled()
    assert (await _row(world, good)).state == "applied"
