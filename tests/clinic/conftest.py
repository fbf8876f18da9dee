"""One clinic for each module of tests, as a start takes seconds; each test has its patients."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from demo.parts import Clinic
from tests.clinic.house import House, house_of
from tests.clinic.whole_demo import WholeDemo
from tests.parts.waiting import kept_directory


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


@pytest.fixture(scope="session")
def whole_demo() -> Iterator[WholeDemo]:
    """The whole demo, told once."""
    with kept_directory() as directory:
        running = WholeDemo(directory)
        yield running
        running.end()


@pytest.fixture(scope="session", autouse=True)
def _early(request: pytest.FixtureRequest) -> None:
    """Have the whole demo, if a test will ask for it, run beside the other tests of this folder."""
    if any("whole_demo" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("whole_demo")
