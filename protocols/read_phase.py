"""Reads one phase's protocol: esketamine or deep TMS, with its schedule, dose and gates."""

from decimal import Decimal

from domain.language.names import PhaseId, Role, Treatment
from domain.language.phases import SignOrder
from domain.language.protocol import (
    MOTOR_THRESHOLD,
    DoseRule,
    Gate,
    Protocol,
    Schedule,
    StimulationRule,
    TimedCheck,
    When,
)
from protocols.quantities import (
    NotUnderstood,
    parse_count,
    parse_quantity,
    parse_whole,
)
from protocols.read_benefit import read_benefit
from protocols.read_course import read_course
from protocols.read_gates import read_gates, read_timed_checks
from protocols.read_names import read_head
from protocols.read_risk import check_moments, read_assessments, read_risk_levels
from protocols.read_safety import read_safety_tasks
from protocols.read_schedule import read_schedule
from protocols.read_vocabulary import Words
from protocols.reading import Section, choose

ANY_DOSE = 0
"""`first_mg` of a phase whose first dose may be any of `then`."""


def read_phase(top: Section, words: Words, sha256: str) -> Protocol:
    """Read a whole file whose first key is `protocol`."""
    head = read_head(top, "protocol")
    treatment = top.choice("treatment", Treatment)
    schedule = read_schedule(top.section("schedule"))
    gates = read_gates(top.section("gates"), words, head.sources)
    course = read_course(top.section("course"), words, head.sources)
    dose = stimulation = None
    checks: tuple[TimedCheck, ...] = ()
    if top.sound("treatment"):
        if treatment is Treatment.ESKETAMINE:
            top.absent("stimulation", "esketamine has a dose, not a stimulation")
            dose = _dose(top.section("dose"), words)
            checks = read_timed_checks(top.section("timed_checks"), words, head.sources)
            _check_once_a_day(top, schedule)
        else:
            top.absent("dose", "deep TMS has a stimulation, not a dose")
            top.absent("timed_checks", "these count from a dose; deep TMS has none")
            stimulation = _stimulation(top.section("stimulation"))
            _check_motor_threshold(top, gates)
    else:  # known keys all the same, so that one wrong word is not four problems
        for key in ("dose", "stimulation", "timed_checks"):
            top.skip(key)
    assessments = read_assessments(top.section("assessments"), words, head.sources)
    check_moments(top, assessments, reviewed=schedule.review_every is not None)
    for check in checks:
        if check.id in {gate.id for gate in gates}:
            top.wrong("timed_checks", f"{check.id} is the id of a gate as well")
    return Protocol(
        id=PhaseId(head.id),
        version=head.version,
        title=head.title,
        status=head.status,
        approved_by=head.approved_by,
        illustrative=head.illustrative,
        sources=head.sources,
        treatment=treatment,
        schedule=schedule,
        dose=dose,
        stimulation=stimulation,
        ordered_by=_ordered_by(top),
        gates=gates,
        timed_checks=checks,
        sha256=sha256,
        safety_tasks=read_safety_tasks(top.section("safety_tasks"), head.sources),
        benefit=read_benefit(top, [*gates, *course], words, head.sources),
        course=course,
        risk_levels=read_risk_levels(top.section("risk_levels"), words, head.sources),
        assessments=assessments,
    )


def _ordered_by(top: Section) -> tuple[Role, ...]:
    roles = tuple(
        top.understand("ordered_by", word, lambda text: choose(text, Role), Role.PRESCRIBER)
        for word in top.words("ordered_by")
    )
    for role in roles:
        if role not in SignOrder.MAY:
            top.wrong("ordered_by", f"{role} cannot order treatment")
    return roles


def _dose(section: Section, words: Words) -> DoseRule:
    drug = section.text("drug")
    if section.sound("drug") and words.complete and drug not in words.vocabulary.drugs:
        section.wrong("drug", f"{drug} is not among the drugs of vocabulary.yaml")
    then = tuple(section.understand("then", word, _milligrams, 1) for word in section.words("then"))
    first = section.read("first", _first, ANY_DOSE)
    written = section.section("devices")
    devices: dict[int, int] = {}
    for key in written.block.entries:
        try:
            devices[_milligrams(key)] = written.count(key)
        except NotUnderstood as problem:
            written.wrong(key, str(problem))
            written.skip(key)
    if section.sound("then", "first", "devices") and written.sound_throughout():
        allowed = sorted({*then, first} - {ANY_DOSE})
        if sorted(devices) != allowed:
            listed = ", ".join(f"{dose} mg" for dose in allowed)
            section.wrong("devices", f"must say how many devices each dose takes: {listed}")
    return DoseRule(drug, first, then, devices)


def _check_once_a_day(top: Section, schedule: Schedule) -> None:
    if any(stage.per_visit > 1 for stage in schedule.stages):
        top.wrong("schedule", "esketamine is given once in a visit, never several times a day")


def _stimulation(section: Section) -> StimulationRule:
    return StimulationRule(
        coil=section.text("coil"),
        target=section.text("target"),
        intensity_percent_mt=section.read("intensity", _intensity, 1),
        frequency_hz=section.read("frequency", _frequency, Decimal(1)),
        pulses=section.read("pulses", parse_count, 1),
    )


def _check_motor_threshold(top: Section, gates: tuple[Gate, ...]) -> None:
    for gate in gates:
        named = {required.observation for required in gate.require}
        fresh = gate.measured_within is not None
        if MOTOR_THRESHOLD in named and gate.when is When.BEFORE_EACH_SESSION and fresh:
            return
    if top.section("gates").given:
        top.wrong(
            "gates",
            "deep TMS needs a gate before each session that requires "
            f"{MOTOR_THRESHOLD}, measured within a stated time",
        )


def _milligrams(text: str) -> int:
    return parse_whole(text, "mg")


def _first(text: str) -> int:
    return ANY_DOSE if text == "any of then" else _milligrams(text)


def _intensity(text: str) -> int:
    return parse_whole(text, "percent of motor threshold")


def _frequency(text: str) -> Decimal:
    number, _ = parse_quantity(text, ("Hz",))
    if number <= 0:
        message = f'"{text}" must be above 0 Hz'
        raise NotUnderstood(message)
    return number
