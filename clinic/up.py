"""`./dev up`: the clinic in real time, kept in a directory, until it is stopped.

When started again, pathways and timers continue where they were. With `--story` the clinic has
synthetic patients in every phase and with every problem, and a clock that `./dev clock` moves.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from clinic import Clinic, PartFailed
from clinic.addresses import STORY, WHERE, remember
from clinic.kept import empty
from clinic.token import ROLES

_STORY, _FILLED = "this-is-a-story", "filled"
"""Files that say that a directory is a story's, and that its clinic was filled to its end."""


def say(sentence: str) -> None:
    """Print a line at once, also where nobody sits at a terminal."""
    print(sentence, flush=True)


def arguments() -> argparse.Namespace:
    """What `./dev up` can be told."""
    parser = argparse.ArgumentParser(prog="./dev up", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, help=f"where everything is kept ({WHERE}, or {STORY})"
    )
    parser.add_argument(
        "--story", action="store_true", help="a clinic with synthetic patients and a movable clock"
    )
    parser.add_argument("--seed", type=int, default=1, help="for the story's people (%(default)s)")
    parser.add_argument(
        "--reset", action="store_true", help="with --story: delete all that happened, start over"
    )
    options = parser.parse_args()
    if options.reset and not options.story:
        parser.error("--reset needs --story; to reset your own clinic, delete its folder")
    if options.directory is None:
        options.directory = STORY if options.story else WHERE
    return options


async def run(options: argparse.Namespace) -> None:
    """Start, print the addresses, and stay until SIGINT or SIGTERM."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    fill = await asyncio.to_thread(_to_fill, options)
    if fill:
        say("filling the clinic; this takes about a minute, only once")
    async with Clinic.start("up", options.directory, movable=options.story, fill=fill) as clinic:
        if options.story:
            (options.directory / _FILLED).write_text(f"{options.seed}\n", "utf-8")
        for sentence in clinic.swept:
            say(sentence)
        addresses = remember(options.directory, clinic)
        for name, address in addresses.items():
            say(f"{name:<15} {address}")
        _say_tokens(clinic, options)
        going = asyncio.create_task(clinic.keep_going(say))
        asked = asyncio.create_task(stopping.wait())
        await asyncio.wait({going, asked}, return_when=asyncio.FIRST_COMPLETED)
        if going.done():
            asked.cancel()
            going.result()
        going.cancel()
        say("stopping")


def _to_fill(options: argparse.Namespace) -> list[str]:
    """The command that fills a story's clinic; nothing if it was filled, to its end, before.

    One that was filled in part, or is to begin anew, is emptied first. PartFailed where it runs,
    or where the directory holds a clinic of the other kind: that one is left as it is.
    """
    directory: Path = options.directory
    story, filled = directory / _STORY, directory / _FILLED
    if story.is_file() and not options.story:
        raise PartFailed(f"{directory} holds a story's clinic: start it with --story")
    if not options.story:
        return []
    if not story.is_file() and directory.exists() and any(directory.iterdir()):
        raise PartFailed(f"{directory} is not empty and holds no story's clinic")
    if filled.exists() and not options.reset:
        if (seed := filled.read_text("utf-8").strip()) != str(options.seed):
            raise PartFailed(f"{directory} was filled with --seed {seed}; --reset starts over")
        return []
    if story.is_file():
        empty(directory, but=story.name)
    directory.mkdir(parents=True, exist_ok=True)
    story.touch()
    return [sys.executable, "-m", "story", "--seed", str(options.seed)]


def _say_tokens(clinic: Clinic, options: argparse.Namespace) -> None:
    """Say how to act; in a story with a token for each role, for a day."""
    default = STORY if options.story else WHERE
    elsewhere = "" if options.directory == default else f" --directory {options.directory}"
    if not options.story:
        say(f"./dev token --role nurse{elsewhere}   prints an access token")
        say("Ctrl-C stops everything")
        return
    for role in ROLES:
        token = clinic.issuer.token(f"dev.{role}", [role], ["manhattan", "phoenix"], 24 * 60)
        say(f"{role:<15} {token}")
    say(f"./dev clock --by 2h{elsewhere}   moves the clock forward")
    say("Ctrl-C stops everything; the next start continues from there")


def main() -> int:
    """Run, and say in one line why it did not."""
    try:
        asyncio.run(run(arguments()))
    except PartFailed as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the Temporal SDK's threads may crash an interpreter that ends slowly
