"""`python -m store upgrade`: bring the database's schema to the newest revision.

A process of its own, so it reads the settings itself; nothing else in `store` does.
"""

import sys

from pydantic import ValidationError

from settings import DatabaseSettings
from store.schema import upgrade


def main(arguments: list[str]) -> int:
    """Run the one command there is."""
    if arguments != ["upgrade"]:
        sys.stderr.write("usage: python -m store upgrade\n")
        return 2
    try:
        url = DatabaseSettings().database_url.get_secret_value()
    except ValidationError:
        sys.stderr.write("KAIROS_DATABASE_URL is not set; see docs/reference/settings.md\n")
        return 2
    sys.stdout.write(f"schema is at {upgrade(url)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
