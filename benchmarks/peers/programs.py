"""Other people's clients: which there are, what they need, and one process that does the work."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.deliveries import AT_ONCE, WITHIN

FOLDER = Path(__file__).resolve().parent
MODULES = FOLDER / "node_modules"
STAMP = MODULES / ".installed"
TRIES = 4
"""How often a user tries who was told of an error, with a client that does not try by itself."""

MOST_TOLD = 500
"""Characters of what a program complained of."""


@dataclass(frozen=True)
class Program:
    """A client, as a process that is given its work on standard input."""

    who: str
    version: str
    command: tuple[str, ...]

    async def work(self, base: str, bodies: list[dict[str, Any]]) -> tuple[float, int]:
        """Create each and read it back; seconds, and errors that the client raised."""
        job = {"base": base, "at_once": AT_ONCE, "tries": TRIES, "bodies": bodies}
        pipe = asyncio.subprocess.PIPE
        # Everything is on loopback, whatever proxy the machine has.
        process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env={**os.environ, "NO_PROXY": "*"},
        )
        try:
            async with asyncio.timeout(WITHIN):
                said, complaints = await process.communicate(json.dumps(job).encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            why = complaints.decode(errors="replace")[-MOST_TOLD:]
            raise RuntimeError(f"{self.who} ended with code {process.returncode}: {why}")
        done = json.loads(said)
        return float(done["seconds"]), int(done["errors"])


def python_programs() -> list[Program]:
    """What the lock `peers` installs, and the bare loop."""
    module = [sys.executable, "-m", "benchmarks.peers.python_clients"]
    return [
        Program("bare httpx2, If-None-Exist", version("httpx2"), (*module, "bare")),
        Program("fhirpy", version("fhirpy"), (*module, "fhirpy")),
        Program("fhirclient, threads", version("fhirclient"), (*module, "fhirclient")),
    ]


def javascript_programs() -> list[Program] | str:
    """What package-lock.json lists, installed if need be; or why there are none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "the JavaScript clients, because node or npm is not installed"
    if problem := _install(npm):
        return f"the JavaScript clients, because npm could not install them: {problem}"
    script = [node, str(FOLDER / "clients.mjs")]
    medplum, openfn = _installed("@medplum/core"), _installed("@openfn/language-fhir")
    return [
        Program("Medplum createResource", medplum, (*script, "medplum")),
        Program("Medplum createResourceIfNoneExist", medplum, (*script, "medplum-once")),
        Program("OpenFn FHIR adaptor", openfn, (*script, "openfn")),
        Program("OpenFn FHIR adaptor, If-None-Exist", openfn, (*script, "openfn-once")),
    ]


def _install(npm: str) -> str | None:
    """Install what the lock lists, each held against its hash; what npm said if it failed.

    No script of a package is run: see .npmrc.
    """
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return None
    # Medplum names a newer Node than Debian's, and works with that: npm warns, and is not heard.
    words = [npm, "ci", "--ignore-scripts", "--loglevel", "error"]
    done = subprocess.run(words, cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip()[-MOST_TOLD:]
    STAMP.write_text(wanted)
    return None


def _installed(package: str) -> str:
    return str(json.loads((MODULES / package / "package.json").read_text())["version"])
