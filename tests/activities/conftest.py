"""A lane to an EHR in memory that a test can hurt."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from activities.plans import Connections
from domain.language.protocol import CombinedProtocol
from fhir_adapters.profile.vendors import PLAIN, Overlay
from store.database import Database
from tests.activities.hurt import HurtEhr, Lane, a_lane
from tests.fhir_adapters.fhir_story import statement

LaneTo = Callable[..., Awaitable[Lane]]


@pytest.fixture
async def lane_to(database: Database, protocol: CombinedProtocol) -> AsyncIterator[LaneTo]:
    """Makes the lane for a statement and an overlay. Neither given: no conditional create."""
    ehr = HurtEhr()
    listening = await asyncio.start_server(ehr.serve, "127.0.0.1", 0)
    ehr.base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/fhir"
    connections = Connections({"ehr": ehr.base_url})

    async def make(said: Mapping[str, Any] | None = None, overlay: Overlay = PLAIN) -> Lane:
        told = (said or statement(conditional=False), overlay)
        return await a_lane(database, protocol, ehr, connections, told)

    yield make
    await connections.close()
    listening.close()


@pytest.fixture
async def lane(lane_to: LaneTo) -> Lane:
    """A lane to an EHR that takes everything, without conditional create."""
    return await lane_to()
