"""`python -m story --seed N`: fill an empty clinic, as of one hour. `./dev up --story` runs it.

Reads the clinic's own settings; refuses to fill a clinic that has pathways already.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2

from clinic import Issuer
from demo.agenda import Agenda
from demo.course import Course, InTheEhr
from demo.staff import hire
from logs import set_up
from settings import ApiSettings, load_installation
from story.backstage import House, open_house
from story.cast import NOW, ZONES, Part, cast
from temporal import gateway
from temporal.clock import MovableClock
from workflows.messages import PathwayInput


class Hour(Exception):  # noqa: N818  reads as what happened
    """The hour has come at which the story stops."""


class UntilTheHour(Agenda):
    """An agenda that nobody's script goes past."""

    async def until(self, instant: datetime) -> None:
        if instant > NOW:
            raise Hour
        await super().until(instant)


async def fill(house: House, issuer: Issuer, ehr: str, parts: tuple[Part, ...]) -> None:
    """Play every part to the hour, and leave the clock there."""
    agenda = UntilTheHour(house.backstage.move_to, stories=len(parts))
    async with httpx2.AsyncClient(trust_env=False) as http:
        records = [await _registered(http, ehr, part) for part in parts]
        async with asyncio.TaskGroup() as group:
            group.create_task(agenda.run())
            for part, record in zip(parts, records, strict=True):
                playing = _play(house, issuer, agenda, part, record)
                group.create_task(_to_the_hour(agenda, playing))
    await house.backstage.move_to(NOW)


async def _registered(http: httpx2.AsyncClient, ehr: str, part: Part) -> InTheEhr:
    """Register a patient, as the hospital's front desk does; how to change that record later."""
    made = (await http.post(f"{ehr}/Patient", json=part.resource())).raise_for_status().json()

    async def change(elements: dict[str, Any]) -> None:
        where = f"{ehr}/Patient/{made['id']}"
        now = (await http.get(where)).raise_for_status().json()
        (await http.put(where, json={**now, **elements})).raise_for_status()

    return change


async def _play(house: House, issuer: Issuer, agenda: Agenda, part: Part, record: InTheEhr) -> None:
    role, zone = part.role, ZONES[part.role.site]
    staff = hire(issuer, house.http, (role.site,))
    course = Course(
        staff,
        agenda,
        house.backstage.clock.now,
        _quiet,
        part.patient,
        role.site,
        zone,
        record,
    )
    await agenda.until(datetime.fromisoformat(role.enrolled).replace(tzinfo=zone))
    day, _, hour = role.first_visit.partition(" ")
    await course.enrol(part.mrn, day, hour)
    await role.scene(course)


async def _to_the_hour(agenda: Agenda, story: Coroutine[Any, Any, None]) -> None:
    try:
        await story
    except Hour:
        pass
    finally:
        agenda.leave()


def _quiet(what: str) -> None:
    del what


async def run(seed: int, most: int | None) -> int:
    """Fill, start each pathway's workflow, set the clinic's clock; say how it went."""
    settings = ApiSettings()
    set_up("ERROR")
    if settings.clock_file is None:
        print("the story needs a movable clock", file=sys.stderr)
        return 2
    began = time.monotonic()
    parts = cast(seed)[:most]
    earliest = min(
        datetime.fromisoformat(part.role.enrolled).replace(tzinfo=ZONES[part.role.site])
        for part in parts
    )
    installation = load_installation(settings.installation_file)
    issuer = Issuer(Path(settings.oidc_jwks).parent)
    async with open_house(settings, earliest) as house:
        if await house.open_pathways():
            print("this clinic already has pathways", file=sys.stderr)
            return 1
        await fill(house, issuer, installation.connections[0].base_url, parts)
        going = await house.open_pathways()
    client = await gateway.connected(settings.temporal_address, settings.temporal_namespace)
    await asyncio.to_thread(MovableClock(settings.clock_file).move_to, NOW)
    for pathway_id, version in going:
        start = PathwayInput(pathway_id, settings.roll_over_at, version)
        await gateway.start_pathway(client, start)
    print(f"{len(parts)} patients, {len(going)} on a pathway, {time.monotonic() - began:.0f} s")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m story", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patients", type=int, help="only the first so many patients")
    options = parser.parse_args()
    return asyncio.run(run(options.seed, options.patients))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the Temporal SDK's threads may crash an interpreter that ends slowly
