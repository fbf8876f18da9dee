"""A clinic whose workflows run in the test: everything of the API is real but Temporal."""

from collections.abc import AsyncIterator

import pytest

from domain.language.protocol import CombinedProtocol
from store.database import Database
from tests.api.service import Application, Service


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """The one application of all tests."""
    return Application(tmp_path_factory.mktemp("house"))


@pytest.fixture
async def service(
    database: Database, protocol: CombinedProtocol, application: Application
) -> AsyncIterator[Service]:
    """The API of two sites on one EHR, with one patient there."""
    made = Service(database, protocol, application)
    await made.probe()
    yield made
    await made.close()
