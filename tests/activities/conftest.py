"""A lane to an EHR in memory that a test can hurt."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from domain.language.protocol import CombinedProtocol
from fhir_adapters.ehr import Ehr, Ehrs
from fhir_adapters.exchange.authorization import NO_AUTHORIZATION, Authorization
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.vendor import Vendor
from store.database import Database
from tests.activities.hurt import HurtEhr, Lane, a_lane
from tests.fhir_adapters.fhir_story import statement

LaneTo = Callable[..., Awaitable[Lane]]


@pytest.fixture
async def lane_to(database: Database, protocol: CombinedProtocol) -> AsyncIterator[LaneTo]:
    """Makes the lane to an EHR as told; told nothing, one without conditional create."""
    ehr = HurtEhr()
    listening = await asyncio.start_server(ehr.serve, "127.0.0.1", 0)
    ehr.base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/fhir"
    made: list[Ehrs] = []

    async def make(
        said: Mapping[str, Any] | None = None,
        vendor: Vendor = GENERIC,
        authorization: Authorization = NO_AUTHORIZATION,
        *,
        proved: bool = True,
        changes_unversioned: bool = False,
        other_bases: tuple[str, ...] = (),
    ) -> Lane:
        made.append(
            Ehrs(
                [
                    Ehr(
                        "ehr",
                        ehr.base_url,
                        vendor,
                        authorization,
                        other_bases=other_bases,
                        changes_unversioned=changes_unversioned,
                    )
                ]
            )
        )
        told = said or statement(conditional=False)
        return await a_lane(database, protocol, ehr, made[-1], told, proved=proved)

    yield make
    for ehrs in made:
        await ehrs.close()
    listening.close()


@pytest.fixture
async def lane(lane_to: LaneTo) -> Lane:
    """A lane to an EHR that takes everything, without conditional create."""
    return await lane_to()
