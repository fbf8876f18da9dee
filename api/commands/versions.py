"""Moving open pathways to another version of their protocol: looked at first, then one act.

The act keeps one command for each pathway that can move, all in one transaction; workers settle
them. What cannot move is left behind on the version that it has, and the list says why.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

from api.commands.request import CommandRequest
from api.commands.submit import repeated
from api.dependencies import Dependencies
from api.reading import work_views as w
from domain.language.commands import Command
from domain.language.errors import Malformed
from domain.language.names import PathwayStatus, RequestId
from domain.language.phases import ChangeProtocol
from domain.language.protocol import CombinedProtocol
from domain.rules.refusing import insist_reason
from domain.rules.versions import against, differences
from store import columns, inbox, pathways, protocols
from store.database import Transaction
from store.records import PathwayRecord

AT_ONCE = 200
"""Pathways that are read at a time."""


async def look(
    tx: Transaction, deps: Dependencies, new: CombinedProtocol, sites: list[str]
) -> w.MovesView:
    """List the open pathways on other versions, whether each can move, and what would differ."""
    changes: dict[int, tuple[str, ...]] = {}
    listed = []
    async for row, old, why in _others(tx, deps, new, sites):
        if old.version not in changes:
            changes[old.version] = differences(old, new)
        listed.append(
            w.MoveView(
                pathway=row.id,
                site=row.site_id,
                from_version=old.version,
                can_move=not why,
                why_not=list(why),
            )
        )
    return w.MovesView(
        protocol=new.id,
        version=new.version,
        changes=[w.ChangeView(from_version=v, says=list(c)) for v, c in sorted(changes.items())],
        pathways=listed,
    )


async def move(
    request: CommandRequest, new: CombinedProtocol, reason: str, only: Sequence[str] | None
) -> w.MovesView:
    """Have all that can move do so, or those that are named; the list, with each one's command."""
    insist_reason(reason)
    deps, now = request.deps, await request.deps.clock.now()
    sites = sorted(request.caller.sites)
    async with deps.database.begin() as tx:
        found = await look(tx, deps, new, sites)
        unknown = set(only or ()) - {each.pathway for each in found.pathways}
        if unknown:
            count = len(unknown)
            raise Malformed(f"pathways named that are not open here on another version: {count}")
        pinned = await protocols.keep(tx, new)
        for each in found.pathways:
            if each.can_move and (only is None or each.pathway in only):
                wish = ChangeProtocol(new.version, reason, pinned)
                each.command = await _kept(tx, request, each, wish, now)
    return found


async def _kept(
    tx: Transaction, request: CommandRequest, each: w.MoveView, wish: ChangeProtocol, now: datetime
) -> str:
    """Keep one pathway's command; the same one when the request comes again."""
    command = Command(RequestId(str(uuid4())), request.author, wish)
    key = sha256(f"{request.key}/{each.pathway}".encode()).hexdigest()
    own = replace(request, key=key)
    body = columns.command_to_json(command)
    received = own.received(command.id, each.pathway, each.site, wish.kind, body)
    if await inbox.receive(tx, received, now) is None:
        known = await repeated(tx, own)
        assert known is not None  # noqa: S101  else it would have been received
        return known.id
    return command.id


async def _others(
    tx: Transaction, deps: Dependencies, new: CombinedProtocol, sites: list[str]
) -> AsyncIterator[tuple[PathwayRecord, CombinedProtocol, tuple[str, ...]]]:
    """Go through the open pathways on another version of a protocol."""
    after = None
    while rows := await pathways.page(tx, sites, PathwayStatus.OPEN, after, AT_ONCE):
        for row in rows:
            old, pathway = await deps.see(tx, row)
            same = (old.version, old.sha256) == (new.version, new.sha256)
            if old.id == new.id and not same:
                history = await pathways.history(tx, row.id)
                yield row, old, tuple(says for _, says in against(old, new, pathway, history))
        after = rows[-1].id
