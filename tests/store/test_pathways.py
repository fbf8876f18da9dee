"""Pathways in the store: one open pathway a patient."""

import asyncio
from datetime import UTC, datetime

from domain.language.errors import Conflict
from domain.language.names import ConnectionId, EhrPatientId, PathwayId, SiteId
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from store import columns, pathways
from store.database import Database

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)


async def test_fifty_starts_at_once_reserve_one(
    database: Database, protocol: CombinedProtocol
) -> None:
    """Of fifty starts for one patient at once one reserves; the others are told of a conflict."""

    async def reserve(number: int) -> bool:
        pathway = Pathway(
            PathwayId(f"p{number}"), EhrPatientId("x"), ConnectionId("ehr"), SiteId("s")
        )
        try:
            async with database.begin() as tx:
                await pathways.reserve(tx, pathway, protocol, "f", NOW)
        except Conflict:
            return False
        return True

    assert sum(await asyncio.gather(*(reserve(number) for number in range(50)))) == 1


def test_a_pinned_protocol_comes_back_equal(protocol: CombinedProtocol) -> None:
    """Writing a protocol to JSON and reading it back loses nothing."""
    assert columns.protocol_from_json(columns.protocol_to_json(protocol)) == protocol
