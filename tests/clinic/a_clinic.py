"""A program that runs a clinic until it is told to end; the tests end it in many ways."""

import asyncio
import json
import sys
from contextlib import suppress

from clinic import Clinic
from tests.clinic.waiting import COMMANDS, leave


async def run() -> None:
    """Run it until standard input ends."""
    async with Clinic.start("demo", commands=COMMANDS) as clinic:
        facts = {
            "run": str(clinic.run.path),
            "watchdog": clinic.run.watchdog_pid,
            "urls": [clinic.addresses.ehr, clinic.addresses.api, clinic.addresses.temporal],
            "swept": clinic.swept,
        }
        print(json.dumps(facts), flush=True)  # noqa: T201 - read by the test
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
        await ended.wait()


with suppress(KeyboardInterrupt):
    asyncio.run(run())
leave(0)
