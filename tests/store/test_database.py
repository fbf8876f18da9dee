"""The connection to PostgreSQL: what goes wrong with it is one error."""

import pytest
from sqlalchemy import text

from domain.language.errors import Unavailable
from store.database import Database


async def test_an_exhausted_pool_is_unavailable(database_url: str) -> None:
    """With every connection in use, who asks for one is told to try again, by no other error."""
    small = Database(database_url, pool_size=1, patience=0.05)
    try:
        async with small.begin() as tx:
            await tx.execute(text("select 1"))
            with pytest.raises(Unavailable, match="no database connection is free"):
                async with small.begin() as another:
                    await another.execute(text("select 1"))
    finally:
        await small.close()
