"""Pictures of a protocol in text: an example of its weeks, and Mermaid diagrams.

The example is made by the same rule that proposes visits, so that it shows what would be booked.
"""

from collections.abc import Iterator
from datetime import date
from itertools import islice, pairwise

from domain.language.clocks import in_minutes
from domain.language.protocol import CombinedProtocol, Protocol, Schedule, TimedCheck, When
from domain.rules.calendar import regular_days
from protocols.quantities import print_days, print_elapsed

MONDAY = date(2001, 1, 1)
OPEN_VISITS = 3
"""Visits of an open stage that the example shows before it says `and so on`."""

WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def weeks(schedule: Schedule) -> list[str]:
    """Draw the weeks of a phase that begins on a Monday; the cells are the sessions' numbers."""
    cells: dict[int, dict[int, str]] = {}
    for day, sessions in example(schedule):
        week, weekday = divmod((day - MONDAY).days, 7)
        cells.setdefault(week, {})[weekday] = sessions
    rows = ["| Week | " + " | ".join(WEEK) + " |", "|---|" + "---|" * len(WEEK)]
    rows += [
        f"| {week + 1} | " + " | ".join(cells.get(week, {}).get(day, "") for day in range(7)) + " |"
        for week in range(max(cells) + 1)
    ]
    if any(stage.sessions is None for stage in schedule.stages):
        rows.append("| … | and so on, until decided | | | | | | |")
    return rows


def example(schedule: Schedule) -> Iterator[tuple[date, str]]:
    """Say which sessions fall on which day if the phase begins on a Monday and none is missed."""
    done = 0
    for number, stage in enumerate(schedule.stages):
        left = stage.sessions
        for day in islice(regular_days(schedule, number, MONDAY), stage.visits or OPEN_VISITS):
            here = stage.per_visit if left is None else min(stage.per_visit, left)
            left = None if left is None else left - here
            yield day, f"{done + 1}" if here == 1 else f"{done + 1}–{done + here}"
            done += here


def phase_diagram(protocol: Protocol) -> list[str]:
    """Draw the way of one phase, from the signed order to the prescriber's decision."""
    steps = {"ordered": f'["Order signed by {" or ".join(protocol.ordered_by)}"]'}
    steps |= _gates(protocol, "before_first", When.BEFORE_FIRST_SESSION)
    steps |= _gates(protocol, "before_visit", When.BEFORE_EACH_VISIT)
    steps |= _gates(protocol, "before_session", When.BEFORE_EACH_SESSION)
    steps["treated"] = f'["{_treatment(protocol)}"]'
    for number, check in enumerate(protocol.timed_checks, start=1):
        steps[f"check_{number}"] = f'["Readings {window(check)} after the first device"]'
    steps |= _gates(protocol, "before_leaving", When.AFTER_EACH_VISIT)
    steps["released"] = '["Patient released by a person"]'
    steps |= _gates(protocol, "at_the_end", When.AT_PHASE_END)
    steps["decided"] = '["Prescriber decides"]'
    lines = ["```mermaid", "flowchart TD", *(f"  {name}{shape}" for name, shape in steps.items())]
    lines += [f"  {one} --> {two}" for one, two in pairwise(steps)]
    again = next(n for n in ("before_visit", "before_session", "treated") if n in steps)
    lines.append(f'  released -- "next visit" --> {again}')
    gap = protocol.schedule.gap_between_sessions
    if gap is not None:
        once_more = "before_session" if "before_session" in steps else "treated"
        lines.append(f'  treated -- "next session, {print_elapsed(gap)} later" --> {once_more}')
    return [*lines, "```"]


def pathway_diagram(protocol: CombinedProtocol) -> list[str]:
    """Draw how the phases follow one another."""
    lines = ["```mermaid", "flowchart LR"]
    for number, phase in enumerate(protocol.phases, start=1):
        lines.append(f'  phase_{number}["{_quoted(phase.title)}"]')
    for number, days in enumerate(protocol.days_between, start=1):
        label = f"prescriber decides; at least {print_days(days)} later"
        lines.append(f'  phase_{number} -- "{label}" --> phase_{number + 1}')
    return [*lines, "```"]


def window(check: TimedCheck) -> str:
    """Print when a timed check is due, in minutes as it is watched."""
    return f"{in_minutes(check.earliest)} to {in_minutes(check.latest)} min"


def _gates(protocol: Protocol, name: str, when: When) -> dict[str, str]:
    """Draw the gates of one moment as a step, if there are any."""
    gates = protocol.gates_at(when)
    listed = "".join(f"<br>{gate.id} (or {gate.otherwise})" for gate in gates)
    return {name: f'{{{{"{str(when).capitalize()}:{listed}"}}}}'} if gates else {}


def _treatment(protocol: Protocol) -> str:
    if protocol.dose is not None:
        doses = " or ".join(f"{dose} mg" for dose in protocol.dose.then_mg)
        return f"{_quoted(protocol.dose.drug.capitalize())} {doses}"
    rule = protocol.stimulation
    return f"Stimulation, {rule.pulses} pulses" if rule is not None else "Treatment"


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")
