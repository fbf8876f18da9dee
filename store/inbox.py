"""The command inbox: a command is committed here before it goes anywhere, with the same id."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from domain.language.names import CommandState
from domain.language.refusal import Refusal
from store import columns
from store.database import Transaction
from store.records import CommandRecord, command_record
from store.tables import CommandRow

_COMMAND = CommandRow.metadata.tables["command"]

START = "start-pathway"
"""The kind of the command that starts a pathway."""


@dataclass(frozen=True, slots=True)
class Received:
    """A command to be received: who, what, and the fingerprint that tells a repeat from a reuse."""

    id: str
    pathway_id: str
    site_id: str
    kind: str
    author_id: str
    idempotency_key: str
    fingerprint: str
    body: Mapping[str, Any]


def sent_on(command_id: str) -> str:
    """The idempotency key of a command that one pathway sends on to another."""
    return f"moved:{command_id}"


def was_sent_on(command: CommandRecord) -> bool:
    """Say whether a command came from another pathway, and not from a person."""
    return command.idempotency_key == sent_on(command.id)


async def receive(tx: Transaction, command: Received, at: datetime) -> CommandRecord | None:
    """Commit a command to the inbox. None if its author used the key before (see `earlier`)."""
    row = {
        "id": command.id,
        "pathway_id": command.pathway_id,
        "site_id": command.site_id,
        "kind": command.kind,
        "author_id": command.author_id,
        "idempotency_key": command.idempotency_key,
        "fingerprint": command.fingerprint,
        "body": dict(command.body),
        "state": CommandState.RECEIVED,
        "received_at": at,
    }
    added = (
        insert(CommandRow)
        .values(row)
        .on_conflict_do_nothing(index_elements=["author_id", "idempotency_key"])
        .returning(CommandRow)
    )
    return _record((await tx.execute(added)).scalar_one_or_none())


async def earlier(tx: Transaction, author_id: str, key: str) -> CommandRecord | None:
    """Find the command that this author sent with this idempotency key."""
    wanted = select(CommandRow).where(
        CommandRow.author_id == author_id, CommandRow.idempotency_key == key
    )
    return _record((await tx.execute(wanted)).scalar_one_or_none())


async def find(tx: Transaction, command_id: str) -> CommandRecord | None:
    """Find a command by its id."""
    return _record(await tx.get(CommandRow, command_id))


def _record(row: CommandRow | None) -> CommandRecord | None:
    return None if row is None else command_record(row)


async def start_of(tx: Transaction, pathway_id: str) -> CommandRecord | None:
    """Find the command that starts a pathway, while it is not settled."""
    wanted = select(CommandRow).where(
        CommandRow.pathway_id == pathway_id,
        CommandRow.kind == START,
        CommandRow.state == CommandState.RECEIVED,
    )
    return _record((await tx.execute(wanted)).scalar_one_or_none())


async def applied(tx: Transaction, command_id: str, version: int, at: datetime) -> None:
    """Settle a command as applied. Settling twice changes nothing."""
    await _settle(tx, command_id, state=CommandState.APPLIED, version=version, settled_at=at)


async def rejected(tx: Transaction, command_id: str, refusal: Refusal, at: datetime) -> None:
    """Settle a command as rejected, with why. Settling twice changes nothing."""
    problem = columns.refusal_to_json(refusal)
    await _settle(tx, command_id, state=CommandState.REJECTED, problem=problem, settled_at=at)


async def _settle(tx: Transaction, command_id: str, **how: Any) -> None:
    received = (_COMMAND.c.id == command_id, _COMMAND.c.state == CommandState.RECEIVED)
    await tx.execute(update(_COMMAND).where(*received).values(how))


async def waiting(
    tx: Transaction, most: int, after: tuple[datetime, str] | None = None
) -> list[CommandRecord]:
    """List commands whose outcome is not known yet, oldest first, those after the given place."""
    place = tuple_(CommandRow.received_at, CommandRow.id)
    wanted = select(CommandRow).where(CommandRow.state == CommandState.RECEIVED)
    if after is not None:
        wanted = wanted.where(place > after)
    ordered = wanted.order_by(CommandRow.received_at, CommandRow.id).limit(most)
    return [command_record(row) for row in (await tx.execute(ordered)).scalars()]
