"""Pictures of a protocol in text: an example of its weeks, and Mermaid diagrams.

The example is made by the same rule that proposes visits, so that it shows what would be booked.
"""

from collections.abc import Iterator
from datetime import date
from itertools import islice

from domain.protocol import CombinedProtocol, Otherwise, Protocol, Schedule, When
from domain.visits import regular_days
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
    several = any(stage.per_visit > 1 for stage in protocol.schedule.stages)
    steps = [f'order["Order signed by {" or ".join(protocol.ordered_by)}"]']
    for name, when in (
        ("first", When.BEFORE_FIRST_SESSION),
        ("visit", When.BEFORE_EACH_VISIT),
        ("session", When.BEFORE_EACH_SESSION),
    ):
        steps += _gate_step(protocol, name, when)
    steps.append(f'treat["{_treatment(protocol)}"]')
    for check in protocol.timed_checks:
        window = f"{print_elapsed(check.earliest)} to {print_elapsed(check.latest)}"
        steps.append(f'check-{check.id}["Readings {window} after the first device"]')
    steps += _gate_step(protocol, "leave", When.AFTER_EACH_VISIT)
    steps.append('release["Patient released by a person"]')
    steps += _gate_step(protocol, "end", When.AT_PHASE_END)
    steps.append('decide["Prescriber decides"]')
    names = [step.split("[")[0].split("{")[0] for step in steps]
    lines = ["```mermaid", "flowchart TD", *(f"  {step}" for step in steps)]
    lines += [f"  {one} --> {two}" for one, two in zip(names, names[1:], strict=False)]
    again = next((name for name in ("visit", "session") if name in names), "treat")
    lines.append(f'  release -- "next visit" --> {again}')
    gap = protocol.schedule.gap_between_sessions
    if several and gap is not None:
        once_more = "session" if "session" in names else "treat"
        lines.append(f'  treat -- "next session, {print_elapsed(gap)} later" --> {once_more}')
    return [*lines, "```"]


def pathway_diagram(protocol: CombinedProtocol) -> list[str]:
    """Draw how the phases follow one another."""
    lines = ["```mermaid", "flowchart LR"]
    lines += [f'  {phase.id}["{_quoted(phase.title)}"]' for phase in protocol.phases]
    for before, after, days in zip(
        protocol.phases, protocol.phases[1:], protocol.days_between, strict=False
    ):
        label = f"prescriber decides; at least {print_days(days)} later"
        lines.append(f'  {before.id} -- "{label}" --> {after.id}')
    return [*lines, "```"]


def _gate_step(protocol: Protocol, name: str, when: When) -> list[str]:
    gates = protocol.gates_at(when)
    if not gates:
        return []
    listed = "".join(f"<br>{gate.id}{_mark(gate.otherwise)}" for gate in gates)
    return [f'{name}{{{{"{str(when).capitalize()}:{listed}"}}}}']


def _mark(otherwise: Otherwise) -> str:
    return f" (or {otherwise})"


def _treatment(protocol: Protocol) -> str:
    if protocol.dose is not None:
        doses = " or ".join(f"{dose} mg" for dose in protocol.dose.then_mg)
        return f"{_quoted(protocol.dose.drug.capitalize())} {doses}"
    rule = protocol.stimulation
    return f"Stimulation, {rule.pulses} pulses" if rule is not None else "Treatment"


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")
