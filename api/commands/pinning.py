"""Which version of a protocol is meant, and keeping it where pathways that go on under it look."""

from dataclasses import replace

from api.dependencies import Dependencies
from api.edge.access import nothing_there
from api.edge.problems import Problem
from domain.language.errors import Malformed
from domain.language.phases import ChangeProtocol
from domain.language.protocol import CombinedProtocol, Status
from store import protocols
from store.database import Transaction
from store.records import PathwayRecord


def version_of(deps: Dependencies, name: str, version: int) -> CombinedProtocol:
    """Find the version to move to; 404 if there is none, 422 unless it is approved."""
    try:
        found = deps.protocols.combined(name, version)
    except Malformed:
        raise nothing_there() from None
    if found.status is not Status.APPROVED:
        detail = f"{found.title} (version {found.version}) is {found.status}; it must be approved"
        raise Problem("protocol-not-approved", detail)
    return found


async def pinned(
    tx: Transaction, deps: Dependencies, row: PathwayRecord, wish: ChangeProtocol
) -> ChangeProtocol:
    """The wish, with the name under which the version that it means is kept."""
    old, _ = await deps.see(tx, row)
    try:
        new = version_of(deps, old.id, wish.version)
    except Problem as problem:
        if problem.name != "not-found":
            raise
        raise Problem("unknown-protocol", f"there is no such version of {old.id}") from None
    return replace(wish, pinned=await protocols.keep(tx, new))
