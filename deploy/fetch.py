"""Ask one URL until it answers, and keep the answer where a file is named.

For the stand-ins of docker-compose.yml only: it checks no certificate chain of its own and no
content, and must not be used to fetch the keys of an identity provider over an open network.
"""

import sys
import time
import urllib.request
from pathlib import Path

PATIENCE = 300.0  # seconds; HAPI builds its database at its first start
PAUSE = 3.0


def fetch(url: str, patience: float = PATIENCE, pause: float = PAUSE) -> bytes:
    """The body of the first answer with status 200. Raises OSError once patience is spent."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (ours, in compose)
                body: bytes = answer.read()
                return body
        except OSError as error:
            if time.monotonic() > deadline:
                raise
            print(f"{url}: not yet ({error})", flush=True)
            time.sleep(pause)


def main(url: str, target: str | None = None) -> None:
    """Fetch, and replace the target in one step so that nobody reads half of it."""
    body = fetch(url)
    if target:
        partial = Path(f"{target}.partial")
        partial.write_bytes(body)
        partial.replace(target)
    print(f"{url}: {len(body)} bytes", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
