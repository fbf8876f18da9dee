"""What the demo shows: progress while it runs, then one table and one line that says it all.

At a terminal the last line is alive: the date, each patient's phase, deliveries on their way.
Elsewhere there are plain lines only. Must not compute what it shows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from demo.tally import Recount
from demo.watching import Happened

ZONE = ZoneInfo("America/New_York")
PLAIN_WIDTH = 120
COLUMNS = ("intended", "found", "equal", "different", "missing", "doubled", "unexplained")


class Screen:
    """The demo's output."""

    def __init__(self, console: Console | None = None) -> None:
        """Write to the terminal, or in plain lines where there is none."""
        self.console = console or Console(highlight=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = PLAIN_WIDTH
        self._status: Status | None = None
        self._date = ""
        self._phases: dict[str, str] = {}
        self._pending = 0

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Keep the last line alive, where there is a terminal."""
        if not self.console.is_interactive:
            yield
            return
        try:
            with self.console.status("") as self._status:
                yield
        finally:
            self._status = None

    def line(self, text: str) -> None:
        self.console.print(text, markup=False)

    def happened(self, thing: Happened) -> None:
        """Say what happened on a patient's pathway, in which phase, with its clinical time."""
        local = thing.at.astimezone(ZONE)
        self._date = f"{local:%a %d %b %Y %H:%M}"
        self._phases[thing.who] = thing.phase
        waiting = f"[dim]{self._pending:>3} pending[/]"
        self.console.print(
            f"[dim]{self._date}[/] {waiting}  [bold]{thing.who}[/]  {thing.phase:<20}  "
            f"{escape(thing.what)}"
        )
        self._renew()

    def pending(self, deliveries: int) -> None:
        """Show how many deliveries were on their way when it was last looked."""
        self._pending = deliveries
        self._renew()

    @property
    def live(self) -> str | None:
        """What the living line says; None where there is none."""
        if self._status is None:
            return None
        phases = ", ".join(f"{who} in {phase}" for who, phase in self._phases.items())
        return f"{self._date}  {self._pending} deliveries pending  {phases}"

    def _renew(self) -> None:
        if self._status is not None:
            self._status.update(self.live)

    def result(self, counted: Recount) -> None:
        """Show the table and whether everything is equal."""
        table = Table(title="What was intended, and what the EHR holds")
        table.add_column("FHIR resource")
        for column in COLUMNS:
            table.add_column(column, justify="right")
        for kind, row in counted.as_json().items():
            table.add_row(kind, *(str(row[column]) for column in COLUMNS))
        self.console.print(table)
        for difference in counted.differences[:20]:
            self.line(f"different: {difference}")
