"""One clinic for each module of tests, as a start takes seconds; each test has its patients."""

from collections.abc import AsyncIterator

import pytest_asyncio

from clinic import Clinic
from tests.whole.house import House, house_of


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clinic() -> AsyncIterator[Clinic]:
    """A whole clinic on virtual time, with a wire to its EHR that can be hurt."""
    async with Clinic.start("demo") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def house(clinic: Clinic) -> AsyncIterator[House]:
    """The clinic with its people in it; whatever a test killed runs again afterwards."""
    async with house_of(clinic) as house:
        yield house
        clinic.wire.accept()
        await house.heal()
