"""The walk through the API is true: its commands run, and what comes back is what it shows."""

import asyncio
import json
import os
import re
import shutil
import sys
from datetime import UTC, datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clinic import Clinic

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "walkthrough.md"
NEW_YORK = ZoneInfo("America/New_York")
BLOCK = re.compile(r"^```(bash|json|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"
SEPARATOR = "==== end of block ===="


def steps(page: str) -> list[tuple[str, str, str]]:
    """Each block of commands, with the kind and text of what the page shows under it."""
    found: list[tuple[str, str, str]] = []
    for kind, text in BLOCK.findall(page):
        if kind == "bash":
            found.append((text, "", ""))
        else:
            found[-1] = (found[-1][0], kind, text)
    return found


def fits(shown: Any, there: Any) -> bool:
    """Whether an answer is what the page shows; an ellipsis fits anything in its place."""
    if shown == ANYTHING:
        return True
    if isinstance(shown, dict) and isinstance(there, dict):
        more = ANYTHING in shown or shown.keys() == there.keys()
        wanted = shown.keys() - {ANYTHING}
        return more and wanted <= there.keys() and all(fits(shown[k], there[k]) for k in wanted)
    if isinstance(shown, list) and isinstance(there, list):
        return len(shown) == len(there) and all(map(fits, shown, there))
    if isinstance(shown, str) and isinstance(there, str):
        pattern = re.sub(r"[][*?]", lambda sign: f"[{sign[0]}]", shown)
        return fnmatchcase(there, pattern.replace(ANYTHING, "*"))
    return bool(shown == there)


def test_an_ellipsis_fits_anything_and_nothing_else_does():
    """The comparison of this test tells a right answer from a wrong one."""
    assert fits({"a": "1 of …", "…": "…"}, {"a": "1 of 2", "b": None})
    assert fits(["…", "[x]"], [7, "[x]"])
    assert not fits({"a": 1}, {"a": 1, "b": 2})
    assert not fits({"a": 1, "…": "…"}, {"b": 1})
    assert not fits(["…"], [])
    assert not fits("may not … yet", "may not give the dose")


def a_weekday_morning(after: datetime) -> datetime:
    """The next time that it is ten in the morning of a weekday in New York."""
    day = after.astimezone(NEW_YORK).date() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return datetime.combine(day, time(10), NEW_YORK)


def shell_of(clinic: Clinic, offset: timedelta, where: Path) -> dict[str, str]:
    """A folder with `./dev token` and `date` for this clinic, and the environment to use them."""
    seconds = offset.total_seconds()
    dev = f'#!/bin/sh\nshift\ncd {ROOT} && exec {sys.executable} -m clinic.token "$@"'
    date = f"""#!/bin/bash
when=now args=()
while (($#)); do case $1 in -d) when=$2; shift 2;; *) args+=("$1"); shift;; esac; done
there=$({shutil.which("date")} -d "$when" +%s.%N | awk '{{printf "%.6f", $1 + {seconds}}}')
exec {shutil.which("date")} -d "@$there" "${{args[@]}}"
"""
    for name, text in {"dev": f"{dev} --directory {clinic.run.path}\n", "date": date}.items():
        (where / name).write_text(text)
        (where / name).chmod(0o755)
    return {**os.environ, "PATH": f"{where}:{os.environ['PATH']}", "no_proxy": "*"}


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="the walk through the API is done by curl")
async def test_the_walk_through_the_api_is_true(tmp_path: Path):
    """Every command of the page runs, and answers as shown; slow since it starts a whole clinic."""
    page = steps(PAGE.read_text("utf-8"))
    async with Clinic.start("demo") as clinic:
        now = await clinic.time.move_to(a_weekday_morning(await clinic.time.now()))
        environment = shell_of(clinic, now - datetime.now(UTC), tmp_path)
        first, *others = (commands for commands, _, _ in page)
        for name, address in (("API", clinic.addresses.api), ("EHR", clinic.addresses.ehr)):
            first, changed = re.subn(
                rf"^{name}=.*$", f"{name}={address}", first, flags=re.MULTILINE
            )
            assert changed == 1
        script = f"\necho '{SEPARATOR}'\n".join([first, *others])
        shell = await asyncio.create_subprocess_exec(
            "bash",
            cwd=tmp_path,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(shell.communicate(script.encode()), 80)
        finally:
            if shell.returncode is None:
                shell.kill()
    answers = said.decode().split(f"{SEPARATOR}\n")
    assert len(answers) == len(page)
    for (commands, kind, shown), answer in zip(page, answers, strict=True):
        if kind == "json":
            assert fits(json.loads(shown), json.loads(answer)), f"{commands}\n{answer}"
        elif kind == "text":
            assert fits(shown.splitlines(), answer.splitlines()), f"{commands}\n{answer}"
        else:
            assert not answer.strip(), f"{commands}\n{answer}"
