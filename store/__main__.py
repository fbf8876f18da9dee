"""`python -m store upgrade | restored`: what is done to the database by hand.

`upgrade` brings its schema to the newest revision. `restored` says that a backup was put back: what
it calls unsent is looked for in the EHR before it is sent. A process of its own, so it reads the
settings itself; nothing else in `store` does.
"""

import asyncio
import sys
from datetime import UTC, datetime

from sqlalchemy.exc import OperationalError

from domain.language.errors import Unavailable
from settings import DatabaseSettings, settings_told_plainly
from store.database import Database
from store.restores import WITHIN_SECONDS, distrust
from store.schema import upgrade


def main(arguments: list[str]) -> int:
    """Run one of the commands there are."""
    if arguments not in (["upgrade"], ["restored"]):
        sys.stderr.write("usage: python -m store upgrade | restored\n")
        return 2
    with settings_told_plainly():
        url = DatabaseSettings().database_url.get_secret_value()
    try:
        return _done(arguments, url)
    except (Unavailable, OperationalError):
        sys.stderr.write("the database at KAIROS_DATABASE_URL does not answer, or lets nobody in\n")
        return 1


def _done(arguments: list[str], url: str) -> int:
    if arguments == ["upgrade"]:
        sys.stdout.write(f"schema is at {upgrade(url)}\n")
    else:
        count = asyncio.run(_restored(url))
        sys.stdout.write(f"writes to check in the EHR before they are sent: {count}\n")
    return 0


async def _restored(url: str) -> int:
    database = Database(url)
    try:
        async with database.begin(WITHIN_SECONDS) as tx:
            return await distrust(tx, datetime.now(UTC))
    finally:
        await database.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
