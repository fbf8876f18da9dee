"""A clinic whose workflows run in the test: everything of the API is real but Temporal."""

from collections.abc import AsyncIterator

import pytest

from domain.language.protocol import CombinedProtocol
from store.database import Database
from tests.api.clinic import Clinic, House


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The one application of all tests."""
    return House(tmp_path_factory.mktemp("house"))


@pytest.fixture
async def clinic(
    database: Database, protocol: CombinedProtocol, house: House
) -> AsyncIterator[Clinic]:
    """The API of two sites on one EHR, with one patient there."""
    made = Clinic(database, protocol, house)
    await made.probe()
    yield made
    await made.close()
