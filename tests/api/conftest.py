"""A clinic whose workflows run in the test: everything of the API is real but Temporal."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.protocol import CombinedProtocol
from store.database import Database
from tests.api.clinic import Clinic


@pytest.fixture
async def clinic(
    database: Database, protocol: CombinedProtocol, tmp_path: Path
) -> AsyncIterator[Clinic]:
    """The API of two sites on one EHR, with one patient there."""
    made = Clinic(database, protocol, tmp_path)
    await made.probe()
    yield made
    await made.close()
