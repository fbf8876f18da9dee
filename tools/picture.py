"""Draws the README's picture, `docs/demo.svg`: `python -m tools.picture`.

Runs the demo as a process of its own and keeps what it prints on a terminal. The picture has room
for a part of the story: lines are left out, and each place where some were says how many. Must not
write, reword or reorder a line.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "demo.svg"
COLUMNS = 112
SHOWN = re.compile(
    r"patient 1 .*  (enrolled|MADRS)|signed|[2-9] visits booked|was lost|clocks changed|held,"
    r"|overridden|missed$|booked again|decided by|too early|killed|took over|day 6"
)
"""A line of the story is shown if it holds one of these; all that is not the story is shown."""

_STORY = re.compile(r"patient \d  ")
_FONT_FROM_ELSEWHERE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_MADE = (
    "<!-- Made by `python -m tools.picture` from what one run of the demo printed: the demo's own "
    "lines, in their order, with its colours. Where lines were left out it says how many. -->\n"
)


def lines_of_the_demo() -> list[str]:
    """Run the demo and return the lines that it printed, colours included."""
    # Colours, but no line that is alive: a picture has but one moment.
    environment = {**os.environ, "FORCE_COLOR": "1", "TTY_INTERACTIVE": "0"}
    environment["COLUMNS"] = str(COLUMNS)
    ran = subprocess.run(
        [sys.executable, "-m", "demo"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return ran.stdout.splitlines()


def chosen(lines: Sequence[str]) -> Iterator[str]:
    """Leave out what the picture has no room for, and say where."""
    left_out = 0
    for line in lines:
        plain = Text.from_ansi(line).plain
        if _STORY.search(plain) and not SHOWN.search(plain):
            left_out += 1
            continue
        if left_out:
            yield f"\x1b[2m    … {left_out} left out\x1b[0m"
            left_out = 0
        yield line


def picture(lines: Sequence[str]) -> str:
    """Draw lines as a terminal shows them. The SVG asks nobody for a font."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(file=nowhere, record=True, width=COLUMNS, force_terminal=True)
        for line in lines:
            console.print(Text.from_ansi(line), overflow="fold")
        svg = console.export_svg(title="./dev demo", unique_id="demo")
    return _MADE + _FONT_FROM_ELSEWHERE.sub("", svg)


def main() -> int:
    """Run the demo and draw it."""
    text = picture(list(chosen(lines_of_the_demo())))
    PICTURE.write_text(text, encoding="utf-8")
    print(f"wrote {PICTURE.name}: {len(text) // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
