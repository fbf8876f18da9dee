"""`python -m demo`: a clinic in a box. Starts every real part, tells the story, counts, stops.

Exit status 0 only if the EHR holds exactly what was intended.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import httpx2
from temporalio.service import RPCError

from clinic import Clinic, PartFailed, TimeStoodStill
from demo.recount import recount
from demo.screen import Screen
from demo.staff import TurnedAwayError, hire
from demo.story import StoryResult, tell_story
from demo.tally import Recount

EXPECTED = (
    PartFailed,
    TimeStoodStill,
    TurnedAwayError,
    TimeoutError,
    AssertionError,
    RPCError,
    httpx2.HTTPError,
)
"""Ways to fail that a sentence explains; anything else is a defect and keeps its traceback."""


def arguments() -> argparse.Namespace:
    """What the demo can be told."""
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep everything running until Ctrl-C")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures to FILE; `stop` is added last"
    )
    return parser.parse_args()


async def run(options: argparse.Namespace, screen: Screen) -> int:
    """Run the demo; return its exit status."""
    screen.line("starting PostgreSQL, Temporal, the EHR, the API and the worker")
    stop_began = time.monotonic()
    async with Clinic.start("demo") as clinic:
        for sentence in clinic.swept:
            screen.line(sentence)
        screen.line(f"started in {clinic.seconds['start']:.1f} s")
        began = time.monotonic()
        with screen.telling():
            told = await tell_story(clinic, screen)
        async with httpx2.AsyncClient(base_url=clinic.addresses.api, trust_env=False) as http:
            counted = await recount(clinic.addresses.ehr, hire(clinic.issuer, http).operations)
        story = time.monotonic() - began
        screen.result(counted)
        figures = _figures(clinic, counted, told, story)
        if options.json:
            await asyncio.to_thread(options.json.write_text, json.dumps(figures, indent=2) + "\n")
        if options.keep:
            await _keep(clinic, screen)
        stop_began = time.monotonic()
    stop = time.monotonic() - stop_began
    figures["seconds"]["stop"] = round(stop, 1)  # type: ignore[index]
    if options.json:
        await asyncio.to_thread(options.json.write_text, json.dumps(figures, indent=2) + "\n")
    screen.line(
        f"start {clinic.seconds['start']:.1f} s, story {story:.1f} s, stop {stop:.1f} s; "
        f"{told.virtual_days} virtual days, {counted.writes} FHIR writes"
    )
    verdict = "everything matches" if counted.equal else "NOT everything matches"
    screen.line(f"{verdict}: what the EHR holds, compared with what was intended")
    return 0 if counted.equal else 1


def _figures(
    clinic: Clinic, counted: Recount, result: StoryResult, story: float
) -> dict[str, object]:
    return {
        "equal": counted.equal,
        "resources": counted.as_json(),
        "writes": counted.writes,
        "virtual_days": result.virtual_days,
        "seconds": {
            "start": round(clinic.seconds["start"], 1),
            "story": round(story, 1),
            "stop": None,
        },
        "addresses": {
            "ehr": clinic.addresses.ehr,
            "api": clinic.addresses.api,
            "temporal": clinic.addresses.temporal,
        },
    }


async def _keep(clinic: Clinic, screen: Screen) -> None:
    """Leave everything running until Ctrl-C or SIGTERM."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    screen.line(f"EHR (FHIR R4)  {clinic.addresses.ehr}")
    screen.line(f"API            {clinic.addresses.api}")
    screen.line(f"Temporal       {clinic.addresses.temporal}")
    screen.line("press Ctrl-C to stop everything")
    await stopping.wait()


def main() -> int:
    """Run, and turn every way to fail into one line and an exit status."""
    screen = Screen()
    try:
        return asyncio.run(run(arguments(), screen))
    except KeyboardInterrupt:
        screen.line("stopped")
        return 130
    except EXPECTED as error:
        screen.line(f"the demo failed: {error}")
    except ExceptionGroup as failed:
        expected, other = failed.split(EXPECTED)
        for each in _leaves(expected):
            screen.line(f"the demo failed: {each}")
        if other is not None:
            raise other from None
    return 1


def _leaves(group: BaseException | None) -> list[BaseException]:
    if isinstance(group, BaseExceptionGroup):
        return [leaf for each in group.exceptions for leaf in _leaves(each)]
    return [group] if group is not None else []


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the Temporal SDK's threads may crash an interpreter that ends slowly
