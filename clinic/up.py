"""`./dev up`: the clinic on real time, kept in a directory, until it is stopped.

Pathways and timers go on where they were when it is started again.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from clinic import Clinic, PartFailed
from clinic.addresses import WHERE, remember


def say(sentence: str) -> None:
    """Print a line at once, also where nobody sits at a terminal."""
    print(sentence, flush=True)


def arguments() -> argparse.Namespace:
    """What `./dev up` can be told."""
    parser = argparse.ArgumentParser(prog="./dev up", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, default=WHERE, help="where everything is kept (%(default)s)"
    )
    return parser.parse_args()


async def run(directory: Path) -> None:
    """Start, print the addresses, and stay until SIGINT or SIGTERM."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with Clinic.start("up", directory) as clinic:
        for sentence in clinic.swept:
            say(sentence)
        addresses = remember(directory, clinic)
        for name, address in addresses.items():
            say(f"{name:<15} {address}")
        say("./dev token --role nurse   prints an access token; Ctrl-C stops everything")
        going = asyncio.create_task(clinic.keep_going(say))
        asked = asyncio.create_task(stopping.wait())
        await asyncio.wait({going, asked}, return_when=asyncio.FIRST_COMPLETED)
        if going.done():
            asked.cancel()
            going.result()
        going.cancel()
        say("stopping")


def main() -> int:
    """Run, and say in one line why it did not."""
    try:
        asyncio.run(run(arguments().directory))
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
