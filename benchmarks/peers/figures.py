"""What a comparison comes to, as data; and the table of it."""

import statistics
from dataclasses import dataclass

from rich.table import Table

from benchmarks.report import Figure, Report


@dataclass(frozen=True)
class Run:
    """One client's attempt at all of the work, and what stood in the EHR after it."""

    seconds: float
    lost: int
    """Answers that were dropped after the EHR had written."""
    surplus: int
    """Observations in the EHR beyond one of each that was meant."""
    missing: int
    told: int
    """Errors that the client raised to its caller; of Kairos, deliveries that ask for a person."""
    others: float
    """Cores that other programs used meanwhile: where it is much, distrust the seconds."""


@dataclass(frozen=True)
class Row:
    """One client: a run with nothing lost in each round, and one of each kind with losses."""

    who: str
    version: str
    quiet: tuple[Run, ...]
    conditional: Run
    """Answers are lost, and the EHR has conditional create."""
    unconditional: Run
    """Answers are lost, and the EHR has no conditional create."""

    @property
    def seconds(self) -> float:
        """The median with nothing lost."""
        return statistics.median(run.seconds for run in self.quiet)

    @property
    def wrong(self) -> int:
        """Observations that stood more than once, or not at all, though nothing was lost."""
        return sum(run.surplus + run.missing for run in self.quiet)


@dataclass(frozen=True)
class Figures:
    """All of one comparison. `rows` has Kairos last; the others stand from fast to slow."""

    patients: int
    each: int
    at_once: int
    lost_each: int
    rounds: int
    rows: tuple[Row, ...]
    left_out: str | None
    """Why some clients were not measured."""

    @property
    def kairos(self) -> Row:
        """Our own row."""
        return self.rows[-1]

    def times_theirs(self, row: Row) -> float:
        """Kairos' rate in units of that client's: the median of what it was in each round."""
        rounds = zip(row.quiet, self.kairos.quiet, strict=True)
        return statistics.median(theirs.seconds / ours.seconds for theirs, ours in rounds)

    @property
    def others(self) -> tuple[float, ...]:
        """Cores that others used, in each run with nothing lost, from few to many."""
        return tuple(sorted(run.others for row in self.rows for run in row.quiet))


def show(figures: Figures, report: Report) -> None:
    """Print the table, and how to read it."""
    count = figures.patients * figures.each
    table = Table(title=f"{count} Observations, created once each in one EHR and read back")
    table.add_column("client")
    columns = ("version", "s", "a second", "Kairos\n/ theirs", "lost,\ncond. create")
    for column in (*columns, "lost, no\ncond. create"):
        table.add_column(column, justify="right")
    for row in figures.rows:
        table.add_row(
            row.who,
            row.version,
            _seconds(row),
            f"{count / row.seconds:.0f}",
            f"{figures.times_theirs(row):.2f}",
            _lost(row.conditional),
            _lost(row.unconditional),
        )
    report.screen.console.print(table)
    for row in figures.rows:
        report.keep_figure(_kept(row, figures, count))
    _explain(figures, report)


def _kept(row: Row, figures: Figures, count: int) -> Figure:
    """A client beside Kairos: what each leaves behind, with conditional create and without."""
    theirs, ours = row, figures.kairos
    of_theirs = "" if row is ours else _left(theirs, count)
    ratio = "" if row is ours else f"{figures.times_theirs(row):.2f} of their rate"
    who = "Kairos itself" if row is ours else f"{row.who} {row.version}"
    return Figure(who, _left(ours, count), of_theirs, ratio)


def _left(row: Row, count: int) -> str:
    with_it, without = row.conditional, row.unconditional
    return (
        f"{count / row.seconds:.0f} a second; answers lost: {with_it.surplus} surplus and"
        f" {with_it.missing} missing with conditional create, {without.surplus} and"
        f" {without.missing} without"
    )


def _seconds(row: Row) -> str:
    each = [run.seconds for run in row.quiet]
    return f"{row.seconds:.1f} ({min(each):.1f}–{max(each):.1f})"


def _lost(run: Run) -> str:
    return f"{run.surplus} / {run.missing} / {run.told}"


def _explain(figures: Figures, report: Report) -> None:
    how = f"{figures.patients} patients, {figures.each} each, {figures.at_once} at once"
    report.line(f"{how}; s: median and range of {figures.rounds} rounds with nothing lost")
    middle, most = statistics.median(figures.others), figures.others[-1]
    report.line(f"other programs used {middle:.1f} cores meanwhile (median), at most {most:.1f}")
    lost = {run.lost for row in figures.rows for run in (row.conditional, row.unconditional)}
    report.line(
        f"lost: surplus / missing / told, where each {figures.lost_each}th POST is written and its"
        f" answer dropped ({' or '.join(map(str, sorted(lost)))} of them), on an EHR with"
        " conditional create and on one without"
    )
    report.line(
        "told: errors that the client raised to its caller, who tries 4 times where it does not"
        " try by itself (Medplum's does); of Kairos, deliveries handed to a person"
    )
    for row in figures.rows:
        if row.wrong:
            report.line(f"{row.who}: {row.wrong} wrong with nothing lost")
    if figures.left_out is not None:
        report.line(f"left out: {figures.left_out}")
