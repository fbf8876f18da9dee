"""`./dev clock`: show the time in a clinic of `./dev up --story`, or move it forward.

Asks the API, as any client would, with an operations token of the clinic's own issuer.
"""

import argparse
import json
import re
import sys
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2

from clinic.addresses import STORY, issuer_directory
from clinic.issuer import Issuer

ZONE = ZoneInfo("America/New_York")
_PERIOD = re.compile(r"(\d+)(m|h|d|w)")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_TRIES = 200
"""Requests in one move: each goes on for some seconds, and months may be asked for."""


class NotMoved(Exception):  # noqa: N818  reads as what happened
    """The clock is not where it should be, and why."""


def period(text: str) -> timedelta:
    """Read how far to move, such as 90m, 2h, 3d or 1w."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("must be a number and m, h, d or w, such as 90m or 3d")
    return int(found[1]) * _UNITS[found[2]]


def wall(text: str) -> datetime:
    """Read a time on New York's wall, such as 2027-05-14T09:00; another zone by its offset."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a time such as 2027-05-14T09:00") from None
    return read if read.tzinfo else read.replace(tzinfo=ZONE)


def shown(now: datetime) -> str:
    """The clinic's time, as people read it."""
    return f"{now.astimezone(ZONE):%A %Y-%m-%d %H:%M:%S %Z}"


class Api:
    """The clock's two requests."""

    def __init__(self, http: httpx2.Client, token: str) -> None:
        self._http = http
        self._token = {"Authorization": f"Bearer {token}"}

    def now(self) -> datetime:
        """What time it is. Raises NotMoved with the API's words."""
        return self._read(self._http.get("/v1/clock", headers=self._token))

    def move(self, to: datetime) -> datetime:
        """Move towards a time; where the clock stands then. Raises NotMoved."""
        body = {"now": to.isoformat()}
        return self._read(self._http.put("/v1/clock", headers=self._token, json=body))

    @staticmethod
    def _read(answer: httpx2.Response) -> datetime:
        said = answer.json()
        if answer.status_code != HTTPStatus.OK:
            raise NotMoved(f"{said['title']}: {said['detail']}")
        return datetime.fromisoformat(said["now"])


def move(api: Api, to: datetime) -> datetime:
    """Move all the way, saying where it is; where it ended."""
    for _ in range(_TRIES):
        now = api.move(to)
        print(shown(now), flush=True)
        if now >= to:
            return now
    raise NotMoved("the clock is not there yet; run the command again")


def main() -> int:
    """Show or move; 1 if that was not possible, with the reason."""
    parser = argparse.ArgumentParser(prog="./dev clock", description=__doc__)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--by", type=period, metavar="PERIOD", help="move forward: 90m, 2h, 3d, 1w")
    how.add_argument("--to", type=wall, metavar="TIME", help="move to 2027-05-14T09:00")
    parser.add_argument("--directory", type=Path, default=STORY)
    arguments = parser.parse_args()
    addresses = arguments.directory / "addresses.json"
    if not addresses.is_file():
        print(f"there is no clinic in {arguments.directory}; start one with ./dev up --story")
        return 1
    token = Issuer(issuer_directory(arguments.directory)).token(
        "dev.operations", ["operations"], ["manhattan", "phoenix"]
    )
    where = json.loads(addresses.read_text("utf-8"))["API"]
    try:
        with httpx2.Client(base_url=where, trust_env=False, timeout=60) as http:
            api = Api(http, token)
            now = api.now()
            to = now + arguments.by if arguments.by else arguments.to
            if to is None:
                print(shown(now))
            else:
                move(api, to)
    except httpx2.TransportError:
        print(f"the clinic in {arguments.directory} is not running; run ./dev up --story")
        return 1
    except NotMoved as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
