"""Treatment: a dose or a stimulation that was given, as the rules ask or against them.

May it be given is a question of its own, which records nothing (`check_may_give_dose`,
`check_may_stimulate`). What happened is judged by the facts of its own time, and is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from math import floor
from typing import assert_never

from domain.language.clocks import check_happened
from domain.language.errors import Malformed
from domain.language.findings import Blocked, CheckResult, blocks_of, result_of
from domain.language.names import ObservationName, PhaseId, Role, VisitId, counted, spoken
from domain.language.pathway import Observed, Pathway
from domain.language.protocol import (
    MOTOR_THRESHOLD,
    CombinedProtocol,
    Protocol,
    StimulationRule,
    When,
)
from domain.language.treatment import (
    AsTheRulesAsk,
    DoseGiven,
    RecordDose,
    RecordStimulation,
    ReportDose,
    ReportStimulation,
    StimulationGiven,
    TreatmentFact,
    TreatmentWish,
)
from domain.language.visits import VisitCheckedIn
from domain.rules import gates
from domain.rules.attendance import insist_visit
from domain.rules.refusing import found, insist, insist_reason
from domain.rules.standing import sentence
from domain.rules.treating import blocks_treating

CANNOT_BE = frozenset({"treatment", "overlap", "at-another-visit"})
"""Rules of what can be at all, not of what may: what goes against them is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How a stimulation was given: percent of motor threshold, pulses, percent of output."""

    intensity_percent_mt: int
    pulses: int
    output_percent: int


OUTPUT_WITHIN = 2
"""Percent of the stimulator's output by which it may differ from threshold times intensity: what
is set is a whole number, and so is what is written down."""


def check_meant(
    pathway: Pathway, wish: TreatmentWish, now: datetime, *, long_ago: bool = False
) -> None:
    """Raise Malformed unless it can have been given when it is said, at a visit that there is."""
    match wish:
        case RecordDose(first_device_at=at) | ReportDose(first_device_at=at):
            check_happened(at, now, pathway.zone, "first_device_at", long_ago=long_ago)
        case (
            RecordStimulation(started_at=start, ended_at=end)
            | ReportStimulation(started_at=start, ended_at=end)
        ):
            check_happened(start, now, pathway.zone, "started_at", long_ago=long_ago)
            check_happened(end, now, pathway.zone, "ended_at", long_ago=long_ago)
        case unknown:
            assert_never(unknown)
    insist_visit(pathway, wish.visit)


def decide(
    protocol: CombinedProtocol,
    pathway: Pathway,
    wish: TreatmentWish,
    role: Role,
    now: datetime,
) -> tuple[datetime, tuple[TreatmentFact | VisitCheckedIn, ...]]:
    """Say what was given, and when. Whoever was treated is here, and is observed from then on."""
    match wish:
        case RecordDose() | ReportDose():
            at = wish.first_device_at.astimezone(UTC)
            given: TreatmentFact = _dose(protocol, pathway, wish, role, now)
        case RecordStimulation() | ReportStimulation():
            at = wish.started_at.astimezone(UTC)
            given = _stimulation(protocol, pathway, wish, role, now)
        case unknown:
            assert_never(unknown)
    visit = pathway.visits[wish.visit]
    came_back = visit.left_at is not None and at > visit.left_at
    here = visit.checked_in is not None and not came_back
    return at, (given,) if here else (VisitCheckedIn(wish.visit), given)


def check_may_give_dose(
    protocol: CombinedProtocol, pathway: Pathway, visit: VisitId, mg: int, at: datetime
) -> CheckResult:
    """May a dose of so many milligrams be given at this visit at this instant?"""
    blocks = list(blocks_treating(protocol, pathway, visit, at, mg=mg))
    phase = protocol.phase(pathway.visits[visit].phase)
    rule = phase.dose
    if rule is None:
        finding = f"{phase.title} has no drug dose"
        return result_of((found("treatment", finding, stops=True), *blocks))
    first = not pathway.sessions_in(phase.id) and rule.first_mg != 0
    allowed = (rule.first_mg,) if first else rule.then_mg
    if mg not in allowed:
        doses = " or ".join(f"{dose} mg" for dose in allowed)
        which = "the first dose" if first else "a dose"
        finding = f"{mg} mg; {which} of {rule.drug} is {doses}"
        blocks.insert(0, found("dose", finding, stops=mg > max(allowed)))
    return result_of(tuple(blocks))


def check_may_stimulate(
    protocol: CombinedProtocol,
    pathway: Pathway,
    visit: VisitId,
    at: datetime,
    given: Strength,
    ended: datetime | None = None,
) -> CheckResult:
    """May a stimulation of this strength begin at this instant, and end at that one if it has?"""
    blocks = list(blocks_treating(protocol, pathway, visit, at, ended))
    phase = protocol.phase(pathway.visits[visit].phase)
    rule = phase.stimulation
    if rule is None:
        finding = f"{phase.title} has no stimulation"
        return result_of((found("treatment", finding, stops=True), *blocks))
    look = gates.Look(protocol, pathway, at, visit)
    return result_of((*_strength(rule, given, look), *blocks))


def _strength(rule: StimulationRule, given: Strength, look: gates.Look) -> Iterator[Blocked]:
    """Pulses as ordered; intensity at most as ordered, and so the stimulator's output."""
    if given.pulses != rule.pulses:
        finding = f"the order is {counted(rule.pulses, 'pulse')}, not {given.pulses}"
        yield found("stimulation-pulses", finding)
    if given.intensity_percent_mt > rule.intensity_percent_mt:
        most = rule.intensity_percent_mt
        finding = f"at most {most} % of motor threshold, not {given.intensity_percent_mt} %"
        yield found("stimulation-intensity", finding, stops=True)
    known = [each.value or Decimal(0) for each in look.latest(MOTOR_THRESHOLD, None)]
    for value in (min(known),) if known else ():  # of several of one instant, the safest
        most = floor(value * rule.intensity_percent_mt / 100)
        if given.output_percent > most:
            finding = (
                f"output {given.output_percent} %; {rule.intensity_percent_mt} % of the motor "
                f"threshold of {value} % is at most {most} %"
            )
            yield found("stimulation-output", finding, stops=True)
            return
    meant = [each * given.intensity_percent_mt / 100 for each in known]
    if meant and all(abs(given.output_percent - each) > OUTPUT_WITHIN for each in meant):
        finding = (
            f"output {given.output_percent} %; {given.intensity_percent_mt} % of the motor "
            f"threshold of {known[-1]} % is {round(meant[-1])} %: one of the two is wrong"
        )
        yield found("stimulation-fits", finding)


def _too_strong_since(
    protocol: CombinedProtocol,
    pathway: Pathway,
    given: Strength,
    span: tuple[datetime, datetime],
    visit: VisitId,
) -> Iterator[Blocked]:
    """Find what is too strong now and was not by the threshold at the time that is typed."""
    rule = protocol.phase(pathway.visits[visit].phase).stimulation
    if rule is not None:
        then, now = (
            tuple(_strength(rule, given, gates.Look(protocol, pathway, each, visit)))
            for each in span
        )
        yield from (block for block in now if block.stops and block not in then)


def next_number(pathway: Pathway, phase: PhaseId) -> int:
    """Number the next session of a phase. Those before may have gaps, where one was in error."""
    return max((session.number for session in pathway.sessions_in(phase)), default=0) + 1


def _dose(
    protocol: CombinedProtocol,
    pathway: Pathway,
    wish: RecordDose | ReportDose,
    role: Role,
    now: datetime,
) -> DoseGiven:
    at = wish.first_device_at.astimezone(UTC)
    if not any(letter.isalnum() for letter in wish.lot):
        raise Malformed("the lot number is required; read it from the device")
    result = check_may_give_dose(protocol, pathway, wish.visit, wish.mg, at)
    since = found_since(protocol, pathway, wish.visit, at, now)
    against = _against((*blocks_of(result), *since), wish, role, "give the dose")
    phase = pathway.visits[wish.visit].phase
    rule = protocol.phase(phase).dose
    devices = rule.devices_for(wish.mg) if rule else None
    if devices is None:
        raise Malformed("mg must match a whole number of devices")
    number = next_number(pathway, phase)
    return DoseGiven(
        wish.visit,
        number,
        wish.mg,
        devices,
        wish.lot,
        against.words,
        against.findings,
        against.authorized,
        rests_on(protocol, pathway, wish.visit, at),
    )


def rests_on(
    protocol: CombinedProtocol, pathway: Pathway, visit: VisitId, at: datetime
) -> tuple[str, ...]:
    """Say on which standing decisions a treatment at this visit and instant rests."""
    look = gates.Look(protocol, pathway, at)
    phase = protocol.phase(pathway.visits[visit].phase)
    decided = (each for gate in phase.gates for each in gates.decided_ahead(gate, look))
    return tuple(dict.fromkeys(sentence(each, pathway.zone) for each in decided))


def _stimulation(
    protocol: CombinedProtocol,
    pathway: Pathway,
    wish: RecordStimulation | ReportStimulation,
    role: Role,
    now: datetime,
) -> StimulationGiven:
    at, ended = wish.started_at.astimezone(UTC), wish.ended_at.astimezone(UTC)
    if ended <= at:
        raise Malformed("ended_at must be later than started_at")
    strength, pulses = wish.intensity_percent_mt, wish.pulses
    if strength <= 0 or pulses <= 0 or not 0 < wish.output_percent <= 100:  # noqa: PLR2004  percent
        raise Malformed("intensity and pulses must be above 0, stimulator output 1 to 100 percent")
    as_given = Strength(strength, pulses, wish.output_percent)
    result = check_may_stimulate(protocol, pathway, wish.visit, at, as_given, ended)
    since = (
        *found_since(protocol, pathway, wish.visit, at, now),
        *_too_strong_since(protocol, pathway, as_given, (at, now), wish.visit),
    )
    against = _against((*blocks_of(result), *since), wish, role, "stimulate")
    number = next_number(pathway, pathway.visits[wish.visit].phase)
    return StimulationGiven(
        wish.visit,
        number,
        ended,
        pulses,
        strength,
        wish.output_percent,
        against.words,
        against.findings,
        against.authorized,
        rests_on(protocol, pathway, wish.visit, at),
    )


@dataclass(frozen=True, slots=True)
class _Against:
    """What a treatment went against: in whose words, which rules, and whether it was authorized."""

    words: str = ""
    findings: tuple[str, ...] = ()
    authorized: bool = True


def found_since(
    protocol: CombinedProtocol, pathway: Pathway, visit: VisitId, at: datetime, now: datetime
) -> Iterator[Blocked]:
    """Find what would stop it now and was found after the time that is typed.

    A treatment typed with an earlier time gets no more than one typed now: it is reported, and a
    prescriber looks. What the treatment itself does to a patient is another matter (`its_doing`).
    """
    phase = protocol.phase(pathway.visits[visit].phase)
    then, look = (gates.Look(protocol, pathway, each, visit) for each in (at, now))
    later = {
        (name, found.evidence)
        for name, known in pathway.readings.items()
        for found in known
        if at < found.at <= now and not its_doing(protocol, phase, name, found, at)
    }
    for gate in phase.gates:
        if gate.when in (When.AFTER_EACH_VISIT, When.AT_PHASE_END):
            continue
        for decision in gates.decided_ahead(gate, then):
            limits = (*decision.limits.allows, *decision.limits.void_if)
            names = {need.observation for need in limits}
            beyond = {(name, each) for name in names for each in decision.beyond}
            if beyond & later or (decision.ended is not None and at < decision.ended <= now):
                why = decision.why or "a later reading was outside its limits"
                finding = f"the standing decision about {spoken(gate.id)} has ended: {why}"
                yield found("decision-ended", finding)
        for need in gate.require:
            for block in gates.evaluate(replace(gate, require=(need,)), look):
                if any((need.observation, each) in later for each in block.evidence):
                    yield block


def its_doing(
    protocol: CombinedProtocol,
    phase: Protocol,
    name: ObservationName,
    found: Observed,
    at: datetime,
) -> bool:
    """Say whether a reading may be what a treatment at that instant did, and is nobody's alarm.

    It is one that a check after the treatment asks for, taken once that check was due; and not one
    that a prescriber must see.
    """
    due = (at + check.earliest for check in phase.timed_checks if name in check.record)
    alert = protocol.vocabulary.kind(name).alert
    seen = alert is not None and alert.met(found.value, found.answer)
    return not seen and any(found.at >= each for each in due)


def _against(blocks: tuple[Blocked, ...], wish: TreatmentWish, role: Role, doing: str) -> _Against:
    """Say what a treatment went against: nothing, if it is recorded; something, if it is reported.

    Refused if it is recorded and a rule stands in the way, or if it cannot have been. Who is told
    so may not have given it yet, so the refusal says what is in the way, and no way round it.
    """
    if isinstance(wish, AsTheRulesAsk):
        insist(result_of(blocks), doing)
        return _Against()
    insist_reason(wish.what_happened)
    insist(result_of(tuple(block for block in blocks if block.rule in CANNOT_BE)), doing)
    if not blocks and not wish.moved:
        raise Malformed("no rule was broken: record the treatment instead of reporting it")
    # What happened is kept whoever tells it; a prescriber who tells it answers for it.
    authorized = role is Role.PRESCRIBER or not any(block.stops for block in blocks)
    words = wish.what_happened.strip()
    return _Against(words, tuple(block.sentence() for block in blocks), authorized)
