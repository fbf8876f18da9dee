"""Stand-ins for Kairos's own processes, so that the parts are tested without them.

`store` makes a table, `worker` waits, `api` answers /health/ready once the worker has begun.
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def store() -> None:
    """Make a table."""
    import psycopg  # noqa: PLC0415 - the others start faster without it

    url = os.environ["KAIROS_DATABASE_URL"].replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS visit (id text PRIMARY KEY)")


def worker() -> None:
    """Say that it has begun, then wait."""
    _begun().write_text(str(os.getpid()))
    signal.pause()


def api() -> None:
    """Answer one path over HTTP."""
    address = (os.environ["KAIROS_API_HOST"], int(os.environ["KAIROS_API_PORT"]))
    HTTPServer(address, _Health).serve_forever()


def _begun() -> Path:
    return Path(os.environ["KAIROS_INSTALLATION_FILE"]).with_name("worker-begun")


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ready = self.path == "/health/ready" and _begun().exists()
        self.send_response(200 if ready else 503)
        self.end_headers()


if __name__ == "__main__":
    {"store": store, "worker": worker, "api": api}[sys.argv[1]]()
