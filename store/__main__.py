"""`python -m store upgrade`: bring the schema of KAIROS_DATABASE_URL to the newest revision."""

import os
import sys
from pathlib import Path

from store.schema import upgrade


def main(arguments: list[str]) -> int:
    """Run the one command there is."""
    if arguments != ["upgrade"]:
        sys.stderr.write("usage: python -m store upgrade\n")
        return 2
    secret = Path("/run/secrets/kairos_database_url")
    url = os.environ.get("KAIROS_DATABASE_URL") or (
        secret.read_text("utf-8").strip() if secret.is_file() else ""
    )
    if not url:
        sys.stderr.write("KAIROS_DATABASE_URL is not set\n")
        return 2
    sys.stdout.write(f"schema is at {upgrade(url)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
