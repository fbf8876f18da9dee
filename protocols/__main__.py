"""The clinician's checker: `python -m protocols check [FOLDER]`, `… freeze [FOLDER]`.

`check` lists every problem with its file and line and exits with 1 if there is any. `freeze` adds
what is approved to `approved.lock`; it never changes what is frozen already.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from domain.language.protocol import CombinedProtocol, Protocol
from protocols.loader import SHIPPED, load_protocols, signed_files
from protocols.lock import freeze
from protocols.problems import ProtocolProblems


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m protocols", description=__doc__)
    parser.add_argument("command", choices=["check", "freeze"])
    parser.add_argument("folder", nargs="?", type=Path, default=SHIPPED)
    chosen = parser.parse_args(arguments)
    if not chosen.folder.is_dir():
        parser.error(f"{chosen.folder} is not a folder")
    say = sys.stdout.write
    try:
        if chosen.command == "freeze":
            added = freeze(chosen.folder, signed_files(chosen.folder))
            say("".join(f"frozen: {name}\n" for name in added) or "nothing new to freeze\n")
        book = load_protocols(chosen.folder)
    except ProtocolProblems as problems:
        say(f"{problems}\n\n{len(problems.problems)} to put right\n")
        return 1
    words = book.vocabulary
    say(f"{words.id} version {words.version}: the vocabulary\n")
    everything: list[Protocol | CombinedProtocol] = [*book.phases, *book.all()]
    for found in everything:
        note = " (illustrative)" if found.illustrative else ""
        say(f"{found.id} version {found.version}: {found.status}{note}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
