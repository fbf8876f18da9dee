"""The clinician's page of each protocol, in Markdown, made from what the loader understood.

A page says what Kairos will do, not what the file looks like: whoever signs can read it against
the file. Nothing may be written here that is not in the protocol.
"""

from collections.abc import Iterator
from datetime import date

from domain.language.protocol import (
    CombinedProtocol,
    CourseRule,
    Gate,
    Otherwise,
    Protocol,
    Schedule,
    Stage,
    Status,
    When,
)
from domain.language.requirements import Requirement, Test
from domain.language.safety import AssessmentRule, Holds, RiskLevel, SafetyRule
from domain.language.vocabulary import Vocabulary
from protocols.book import ProtocolBook
from protocols.pictures import pathway_diagram, phase_diagram, weeks, window
from protocols.quantities import print_days, print_elapsed, print_rate, print_requirement
from protocols.render_vocabulary import vocabulary_page

GENERATED = "<!-- Generated from the protocols by `./dev docs`; do not edit. -->"
OTHERWISE = {
    Otherwise.HOLD: "Otherwise hold for a clinician; a prescriber may override with a reason.",
    Otherwise.STOP: "Otherwise stop; nobody can override this.",
    Otherwise.KEEP_OBSERVING: "Otherwise keep observing; nobody can override this.",
    Otherwise.ASK_PRESCRIBER: "Otherwise ask the prescriber, who decides.",
}


def pages(book: ProtocolBook) -> dict[str, str]:
    """Make every page: file name to Markdown."""
    made = {"README.md": _index(book), "vocabulary.md": vocabulary_page(book.vocabulary)}
    for phase in book.phases:
        made[page_name(phase)] = phase_page(phase, book.vocabulary)
    for pathway in book.all():
        made[page_name(pathway)] = pathway_page(pathway)
    return made


def page_name(protocol: Protocol | CombinedProtocol) -> str:
    """Name a protocol's page; each version keeps its own."""
    return f"{protocol.id}-v{protocol.version}.md"


def phase_page(protocol: Protocol, vocabulary: Vocabulary) -> str:
    """Write the page of one phase."""
    lines = [*_head(protocol), "## Schedule", "", *_table(_schedule(protocol.schedule)), ""]
    lines += ["An example that begins on a Monday, with the sessions' numbers:", ""]
    lines += [*weeks(protocol.schedule), "", "## Treatment", "", *_table(_treatment(protocol)), ""]
    lines += ["## Gates", "", "A reading that is missing never passes a gate: it is asked for.", ""]
    for when in When:
        gates = protocol.gates_at(when)
        if gates:
            lines += [f"### {str(when).capitalize()}", ""]
            lines += [_gate(gate, protocol, vocabulary) for gate in gates]
            lines.append("")
    if protocol.timed_checks:
        lines += ["## Timed checks", ""]
        for check in protocol.timed_checks:
            titles = _joined([vocabulary.kind(name).title for name in check.record])
            lines.append(f"- **{check.id}**: {titles}, {window(check)} after the first device.")
            lines.append(f"  {_reason(check.why, check.source, protocol)}")
        lines.append("")
    if protocol.benefit:
        lines += ["## Benefit", ""]
        for score, base in protocol.benefit.items():
            title = vocabulary.kind(score).title
            lines.append(
                f"- **{title}**: a fall is judged against the last score {base.anchor}, at most "
                f"{print_elapsed(base.within)} before it and of {base.at_least} points or more."
            )
        lines.append("")
    if protocol.course:
        lines += [
            "## What a score says",
            "",
            "Held against each score, whenever it is recorded.",
            "",
        ]
        lines += [_course(rule, protocol, vocabulary) for rule in protocol.course]
        lines.append("")
    if protocol.assessments:
        lines += ["## Scores that are asked for", ""]
        lines += [_assessment(rule, protocol, vocabulary) for rule in protocol.assessments]
        lines.append("")
    lines += ["## Levels of risk", ""]
    lines += ["The most severe of the last readings counts. Nobody is treated, whatever the level,"]
    lines += ["before a prescriber has said in words what they found.", ""]
    lines += [_level(level, protocol, vocabulary) for level in protocol.risk_levels]
    lines.append("")
    lines += ["## What a prescriber must look at", ""]
    lines += ["A reminder with an owner and a time; no alarm system.", ""]
    lines += ["| What happened | A prescriber looks within | If not, it is also for | Closed |"]
    lines += ["|---|---|---|---|"]
    for task, rule in protocol.safety_tasks.items():
        what = str(task).replace("-", " ").capitalize()
        within = print_elapsed(rule.within)
        lines.append(f"| {what} | {within} | {_rises(rule)} | {rule.when_closed} |")
    lines += ["", "## The way through", "", *phase_diagram(protocol), "", *_sources(protocol)]
    return "\n".join(lines) + "\n"


def pathway_page(protocol: CombinedProtocol) -> str:
    """Write the page of a pathway."""
    lines = [*_head(protocol), "## Phases", "", "| Phase | Version | Not earlier than |"]
    lines.append("|---|---|---|")
    for phase in protocol.phases:
        days = protocol.days_before(phase.id)
        wait = f"{print_days(days)} after the phase before" if days else "any day"
        lines.append(f"| [{phase.title}]({page_name(phase)}) | {phase.version} | {wait} |")
    same = "may be given" if protocol.same_day else "are never given"
    lines += [
        "",
        f"- Two treatments {same} on one day.",
        "- A prescriber decides at each phase's end whether the next one begins.",
    ]
    if len({phase.treatment for phase in protocol.phases}) > 1:
        lines.append("- Esketamine pauses while deep TMS is given.")
    lines += ["", "## The way through", "", *pathway_diagram(protocol), "", *_sources(protocol)]
    return "\n".join(lines) + "\n"


def _head(protocol: Protocol | CombinedProtocol) -> list[str]:
    lines = [GENERATED, "", f"# {protocol.title}", ""]
    if protocol.illustrative:
        lines += [f"> **ILLUSTRATIVE, not for care.** {protocol.illustrative}", ""]
    by = _joined([f"{a.name}, {a.role}, {_day(a.day)}" for a in protocol.approved_by])
    approved = f" by {by}" if by else ", not approved by anybody"
    state = "approved, now retired" if protocol.status is Status.RETIRED else protocol.status
    lines += [f"`{protocol.id}` version {protocol.version}: **{state}**{approved}.", ""]
    return lines


def _schedule(schedule: Schedule) -> Iterator[tuple[str, str]]:
    for number, stage in enumerate(schedule.stages, start=1):
        yield ("Stage" if len(schedule.stages) == 1 else f"Stage {number}"), _stage(stage)
    yield "Treatment days", str(schedule.days)
    yield "Visits at least apart", print_days(schedule.at_least_apart)
    if schedule.gap_between_sessions is not None:
        yield "From one session's end to the next", print_elapsed(schedule.gap_between_sessions)
    yield "A visit may move without a new order by", print_days(schedule.may_move_by)
    if schedule.finish_within is not None:
        yield "To be finished within", print_days(schedule.finish_within)
    if schedule.review_every is not None:
        yield "Reviewed every", print_days(schedule.review_every)
    yield "Visits are proposed ahead for", print_days(schedule.plan_ahead)
    yield "Length of a visit", print_elapsed(schedule.visit_length)
    yield "After a missed visit", str(schedule.missed)


def _stage(stage: Stage) -> str:
    rate = print_rate(stage.rate)
    if stage.sessions is None:
        return f"{rate}, open until decided"
    days = f", {stage.visits} treatment days" if stage.per_visit > 1 else ""
    return f"{stage.sessions} sessions, {rate}{days}"


def _treatment(protocol: Protocol) -> Iterator[tuple[str, str]]:
    dose, rule = protocol.dose, protocol.stimulation
    yield "Ordered by", _joined([str(role) for role in protocol.ordered_by], "or")
    if dose is not None:
        then = _joined([f"{amount} mg" for amount in dose.then_mg], "or")
        yield "Drug", dose.drug
        yield "First dose", f"{dose.first_mg} mg" if dose.first_mg else then
        yield "Then", then
        for amount, devices in dose.devices.items():
            yield f"Devices for {amount} mg", str(devices)
    if rule is not None:
        yield "Coil", rule.coil
        yield "Target", rule.target
        yield "Intensity, and the most", f"{rule.intensity_percent_mt} percent of motor threshold"
        yield "Frequency", f"{rule.frequency_hz} Hz"
        yield "Pulses in each session", str(rule.pulses)


def _gate(gate: Gate, protocol: Protocol, vocabulary: Vocabulary) -> str:
    required = _joined([_required(need, vocabulary) for need in gate.require])
    fresh = ""
    if gate.measured_within is not None:
        fresh = f", measured within {print_elapsed(gate.measured_within)}"
    reason = _reason(gate.why, gate.source, protocol)
    ahead = _ahead(gate, vocabulary)
    return f"- **{gate.id}**: {required}{fresh}. {OTHERWISE[gate.otherwise]}{ahead}\n  {reason}"


def _course(rule: CourseRule, protocol: Protocol, vocabulary: Vocabulary) -> str:
    required = _joined([_required(need, vocabulary) for need in rule.require])
    after = f", after {' or '.join(rule.after)}" if rule.after else ""
    asks = " A prescriber is asked to look." if rule.asks else ""
    reason = _reason(rule.why, rule.source, protocol)
    return f"- **{rule.id}**: {required}{after}.{asks}\n  {reason}"


def _rises(rule: SafetyRule) -> str:
    """To whom it rises, one after the other."""
    return ", then ".join(
        f"the {str(rise.to).replace('-', ' ')}, within {print_elapsed(rise.within)} more"
        for rise in rule.then
    )


def _level(level: RiskLevel, protocol: Protocol, vocabulary: Vocabulary) -> str:
    means = _joined([_required(need, vocabulary) for need in level.any_of], "or")
    leaving = "; the patient does not leave before that" if Holds.LEAVING in level.holds else ""
    record = _joined([vocabulary.kind(name).title for name in level.record])
    also = f" Then {record} is recorded." if record else ""
    hastens = " A first visit still to come is brought forward." if level.hastens else ""
    return (
        f"- **{level.id}**: {means}, for {print_elapsed(level.counts_for)} after it was taken. "
        f"A prescriber looks within {print_elapsed(level.look.within)}{leaving}; if not, it is "
        f"also for {_rises(level.look)}; while closed, {level.look.when_closed}.{also}{hastens}\n"
        f"  {_reason(level.why, level.source, protocol)}"
    )


def _assessment(rule: AssessmentRule, protocol: Protocol, vocabulary: Vocabulary) -> str:
    at = _joined([str(moment) for moment in rule.at])
    title = vocabulary.kind(rule.score).title
    return (
        f"- **{rule.id}**: {title} at {at}; one of at most {print_elapsed(rule.within)} before will"
        f" do.\n  {_reason(rule.why, rule.source, protocol)}"
    )


def _ahead(gate: Gate, vocabulary: Vocabulary) -> str:
    """What a prescriber may decide for several visits."""
    rule = gate.standing
    if rule is None:
        return ""
    allows = _joined([_required(need, vocabulary) for need in rule.allows])
    ends = "".join(f", or {_required(need, vocabulary)}" for need in rule.void_if)
    return (
        f" A prescriber may decide ahead, for {print_days(rule.days)} at most, that {allows}"
        f" passes; a reading beyond that{ends} ends it."
    )


def _required(need: Requirement, vocabulary: Vocabulary) -> str:
    kind = vocabulary.kind(need.observation)
    if need.test is Test.RECORDED:
        return f"{kind.title} is recorded"
    return f"{kind.title} {print_requirement(need, kind.unit)}"


def _reason(why: str, source: str, protocol: Protocol) -> str:
    return f"*Why:* {why} *Source:* {source} ({protocol.sources[source]})."


def _sources(protocol: Protocol | CombinedProtocol) -> list[str]:
    listed = [f"- **{key}**: {text}" for key, text in protocol.sources.items()]
    return ["## Sources", "", *listed, "", f"Content hash: `{protocol.sha256}`"]


def _index(book: ProtocolBook) -> str:
    lines = [GENERATED, "", "# Protocols", ""]
    lines += ["| Protocol | Version | Status | For care? |", "|---|---|---|---|"]
    everything: list[Protocol | CombinedProtocol] = [*book.all(), *book.phases]
    for found in everything:
        care = "no: illustrative" if found.illustrative else "as approved"
        title = f"[{found.title}]({page_name(found)})"
        lines.append(f"| {title} | {found.version} | {found.status} | {care} |")
    lines += ["", "What may be observed, with units and codes: [vocabulary](vocabulary.md)."]
    return "\n".join(lines) + "\n"


def _table(rows: Iterator[tuple[str, str]]) -> list[str]:
    body = [f"| {what} | {rule.replace('|', chr(92) + '|')} |" for what, rule in rows]
    return ["| What | Rule |", "|---|---|", *body]


def _joined(parts: list[str], word: str = "and") -> str:
    return ", ".join(parts[:-1]) + f" {word} {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
