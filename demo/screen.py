"""What the demo shows: progress while it runs, then one table and one line that says it all.

With a terminal a live line; without one plain lines. Must not compute what it shows.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from demo.tally import Recount

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

    def line(self, text: str) -> None:
        """Say one thing."""
        self.console.print(text, markup=False)

    def happened(self, who: str, what: str, when: datetime) -> None:
        """Say what happened on a patient's pathway, with its clinical time."""
        local = when.astimezone(ZONE)
        self.console.print(
            f"[dim]{local:%a %d %b %Y %H:%M}[/]  [bold]{who}[/]  {what}",
        )

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
