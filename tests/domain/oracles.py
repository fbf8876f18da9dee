"""What must be true of any course whatever people did: said from the events, not from the checks.

Each fact is written down a second time here, plainly, so that a mistake in the domain's rules is
not repeated by the test that looks for it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import floor

from domain.language.authorizations import AuthorizationRecorded
from domain.language.chart import ChartRead
from domain.language.clocks import local, local_day
from domain.language.events import Event
from domain.language.holds import HoldLifted, HoldPlaced
from domain.language.names import PhaseId, VisitId
from domain.language.observations import ReadingsTaken, ScaleAssessed
from domain.language.overrides import GateOverridden
from domain.language.phases import OrderSigned, PhaseEntered
from domain.language.protocol import Gate, Protocol, When
from domain.language.release import RELEASED, VisitReleased
from domain.language.requirements import Requirement, Test
from domain.language.standing import DecidedAhead, DecisionEnded
from domain.language.tasks import TaskAcknowledged
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.language.trials import TrialRecorded
from tests.course import AUTHORIZATION
from tests.domain.simulation import Simulation

COMPARED = {
    Test.AT_MOST: lambda value, limit: value <= limit,
    Test.AT_LEAST: lambda value, limit: value >= limit,
    Test.BELOW: lambda value, limit: value < limit,
    Test.ABOVE: lambda value, limit: value > limit,
}


def check_course(world: Simulation) -> None:
    """Hold all that was recorded against what must always be true."""
    check_spacing(world)
    check_counts_and_doses(world)
    check_gaps(world)
    check_holds(world)
    check_gates(world)
    check_release(world)
    check_finish_within(world)
    check_seen(world)
    check_strength(world)


def by_the_rules(world: Simulation) -> list[Event]:
    """List the treatments of which nobody says that they were given against a rule."""
    return [x for x in world.treatments() if not x.fact.deviation]  # type: ignore[union-attr]


def check_spacing(world: Simulation) -> None:
    """No two treatment days nearer than the protocol allows, within a phase and between phases."""
    off = {local_day(x.at, world.zone) for x in world.treatments() if x.fact.deviation}  # type: ignore[union-attr]
    days = [(local_day(x.at, world.zone), phase_of(world, x)) for x in world.treatments()]
    for (day, phase), (later, after) in pairwise(sorted(set(days))):
        if later in off or day in off:
            continue
        apart = (later - day).days
        if phase == after:
            assert apart >= world.protocol.phase(phase).schedule.at_least_apart
        else:
            assert apart >= max(1, world.protocol.days_before(after))


def check_counts_and_doses(world: Simulation) -> None:
    """Never more sessions than ordered, each numbered in turn, the first dose the first one."""
    for phase in world.protocol.phases:
        mine = [x.fact for x in world.treatments() if phase_of(world, x) == phase.id]
        assert [fact.session for fact in mine] == list(range(1, len(mine) + 1))  # type: ignore[union-attr]
        numbers = [stage.sessions for stage in phase.schedule.stages]
        ruled = [fact for fact in mine if not fact.deviation]  # type: ignore[union-attr]
        assert (
            None in numbers
            or not ruled
            or len(mine) <= sum(n for n in numbers if n) + (len(mine) - len(ruled))
        )
        at_a_visit = Counter(fact.visit for fact in ruled)  # type: ignore[union-attr]
        assert max(at_a_visit.values(), default=0) <= most_a_visit(phase)
        doses = [fact for fact in mine if isinstance(fact, DoseGiven)]
        for fact in doses:
            assert phase.dose is not None
            assert fact.devices * 28 == fact.mg
            assert fact.deviation or fact.mg in phase.dose.then_mg
        if doses and phase.dose is not None and phase.dose.first_mg:
            assert doses[0].deviation or doses[0].mg == phase.dose.first_mg


def most_a_visit(phase: Protocol) -> int:
    """The most sessions of one visit."""
    return max(stage.per_visit for stage in phase.schedule.stages)


def check_gaps(world: Simulation) -> None:
    """Each stimulation begins no sooner after the end of the one before than the gap."""
    given = [(x.at, x.fact) for x in world.treatments()]
    for (_, fact), (start, after) in pairwise(given):
        if getattr(after, "deviation", "") or getattr(fact, "deviation", ""):
            continue
        if isinstance(fact, StimulationGiven) and isinstance(after, StimulationGiven):
            gap = world.protocol.phase(phase_at(world, after.visit)).schedule.gap_between_sessions
            assert fact.visit != after.visit or gap is None or start - fact.ended >= gap


def check_holds(world: Simulation) -> None:
    """No treatment between the placing of a hold and its lifting, nor before a signed order."""
    holds: dict[str, list[datetime]] = {}
    signed: dict[str, datetime] = {}
    treated = 0
    for event in world.events:
        match event.fact:
            case HoldPlaced(hold=hold):
                holds[hold] = [event.at]
            case HoldLifted(hold=hold):
                holds[hold].append(event.at)
            case OrderSigned(phase=phase):
                signed[phase] = event.at
            case DoseGiven() | StimulationGiven():
                treated += 1
                if event.fact.deviation:
                    continue
                assert signed[phase_of(world, event)] <= event.at
                for placed, *lifted in holds.values():
                    assert lifted, "treated while a hold was open"
                    assert not placed <= event.at < lifted[0], "treated at a time of a hold"
    assert treated == len(world.treatments())


def check_gates(world: Simulation) -> None:
    """Before each treatment every gate was met by a fresh reading, or its finding overridden."""
    for place, event in enumerate(world.events):
        if event not in by_the_rules(world):
            continue
        assert isinstance(event.fact, DoseGiven | StimulationGiven)
        before, visit = world.events[:place], event.fact.visit
        phase = world.protocol.phase(phase_of(world, event))
        given = [x.fact for x in before if isinstance(x.fact, DoseGiven | StimulationGiven)]
        moments = [When.BEFORE_EACH_SESSION]
        moments += [] if any(x.visit == visit for x in given) else [When.BEFORE_EACH_VISIT]
        if not any(phase_at(world, x.visit) == phase.id for x in given):
            moments.append(When.BEFORE_FIRST_SESSION)
        for gate in phase.gates:
            for need in gate.require:
                if gate.when in moments:
                    check_need(world, before, event, gate, need)
                elif gate.when in (When.BEFORE_FIRST_SESSION, When.BEFORE_EACH_VISIT):
                    check_not_found_since(world, before, event, gate, need)


def check_need(
    world: Simulation,
    before: list[Event],
    event: Event,
    gate: Gate,
    need: Requirement,
    all_of_it: list[Event] | None = None,
) -> None:
    """One requirement of one gate was met or its very finding overridden at this visit.

    `before` are the events that count, of `all_of_it`.
    """
    since = event.at - gate.measured_within if gate.measured_within is not None else None
    known = [
        (x.at, x.id, value, answer)
        for x in before
        for name, value, answer in (*observed(world, x), *tried(x, before), *authorized(x))
        if name == need.observation
        and x.at <= event.at
        and (since is None or x.at >= since or isinstance(x.fact, AuthorizationRecorded))
    ]
    assert known, f"{gate.id} was missing {need.observation}"
    _, evidence, value, answer = max(known, key=lambda found: (found[0], found[1]))
    if any(x.id == evidence and isinstance(x.fact, AuthorizationRecorded) for x in before):
        if not any(isinstance(x.fact, GateOverridden) and x.fact.gate == gate.id for x in before):
            check_covered(world, all_of_it or before, event)
        return
    if need.test is Test.RECORDED:
        return
    taken = (need.answer, *need.or_answers)
    met = answer in taken if need.test is Test.IS else COMPARED[need.test](value, need.value)
    visit = event.fact.visit  # type: ignore[union-attr]
    covered = {
        item
        for x in before
        if isinstance(x.fact, GateOverridden) and (x.fact.visit, x.fact.gate) == (visit, gate.id)
        for item in x.fact.evidence
        if x.fact.reason.strip() and gate.overridable
    }
    ahead = not met and decided(world, event, gate, need, value)
    assert met or ahead or evidence in covered, f"{gate.id} held {need.observation}"


def check_not_found_since(
    world: Simulation, before: list[Event], event: Event, gate: Gate, need: Requirement
) -> None:
    """What a gate was passed on was not found otherwise after the phase's or visit's first."""
    visit = event.fact.visit  # type: ignore[union-attr]
    mine = [
        x
        for x in before
        if isinstance(x.fact, DoseGiven | StimulationGiven)
        and (gate.when is When.BEFORE_FIRST_SESSION or x.fact.visit == visit)
        and phase_of(world, x) == phase_of(world, event)
    ]
    news = [
        x
        for x in before
        if mine
        and mine[0].at < x.at <= event.at
        and any(n == need.observation for n, *_ in (*observed(world, x), *authorized(x)))
    ]
    if news:
        known = [*news, *overrides(before)]
        lasting = replace(gate, measured_within=None)
        check_need(world, known, event, lasting, need, before)


def authorized(event: Event) -> Iterator[tuple[str, None, str]]:
    """What an authorization answers, if it covers the day and is not used up."""
    if isinstance(event.fact, AuthorizationRecorded):
        yield AUTHORIZATION[event.fact.treatment], None, "granted"


def check_covered(world: Simulation, before: list[Event], event: Event) -> None:
    """Some authorization of the treatment covers the day, and all of them more than was given."""
    treatment = world.protocol.phase(phase_of(world, event)).treatment
    day = local(event.at, world.zone).day
    known = [
        x.fact
        for x in before
        if isinstance(x.fact, AuthorizationRecorded) and x.fact.treatment is treatment
    ]
    assert any(each.starts <= day <= each.ends for each in known), "not authorized on that day"
    given = [
        x
        for x in before
        if isinstance(x.fact, DoseGiven | StimulationGiven)
        and world.protocol.phase(phase_of(world, x)).treatment is treatment
    ]
    assert len(given) < sum(each.units for each in known if each.starts <= day), "used up"


def overrides(events: list[Event]) -> list[Event]:
    """List the overrides among events."""
    return [x for x in events if isinstance(x.fact, GateOverridden)]


def check_seen(world: Simulation) -> None:
    """No treatment by the rules while a positive item 9 was not acknowledged by a prescriber."""
    seen: set[str] = set()
    positive: list[str] = []
    for event in world.events:
        match event.fact:
            case ScaleAssessed(scale="phq9", items=items) if items[8]:
                if not known_then(world, event, items[8]):
                    positive.append(event.id)
            case TaskAcknowledged(task=task):
                seen.update(each for each in positive if each in task)
            case DoseGiven(deviation="") | StimulationGiven(deviation=""):
                assert seen >= set(positive), "treated before a prescriber saw item 9"


def check_strength(world: Simulation) -> None:
    """No stimulation by the rules of more output than the motor threshold and the order allow."""
    threshold = Decimal(0)
    for event in sorted(world.events, key=lambda x: x.at):
        match event.fact:
            case ReadingsTaken(readings=readings):
                found = [r.value for r in readings if r.observation == "motor_threshold"]
                threshold = max([v for v in found if v is not None] or [threshold])
            case StimulationGiven(deviation="", output_percent=output, pulses=pulses):
                assert output <= floor(threshold * 120 / 100)
                assert pulses == 1980


def check_release(world: Simulation) -> None:
    """Nobody is let go sooner than two hours after a dose; who left otherwise is noted as such."""
    doses: dict[VisitId, datetime] = {}
    for event in world.events:
        match event.fact:
            case DoseGiven(visit=visit):
                doses[visit] = event.at
            case VisitReleased(visit=visit) as fact if visit in doses:
                soon = event.at - doses[visit] < timedelta(hours=2)
                assert not soon or (fact.disposition not in RELEASED and fact.findings)


def check_finish_within(world: Simulation) -> None:
    """Nobody is treated after the days of a course before a prescriber said to go on with it."""
    first: dict[PhaseId, datetime] = {}
    seen = [f.task for f in world.facts(TaskAcknowledged)]
    waived = {task.split("/")[1].split("#")[0] for task in seen if task.startswith("review-late/")}
    for event in by_the_rules(world):
        phase = phase_of(world, event)
        begun = local_day(first.setdefault(phase, event.at), world.zone)
        most = world.protocol.phase(phase).schedule.finish_within
        late = most is not None and (local_day(event.at, world.zone) - begun).days > most
        assert not late or phase in waived


def observed(world: Simulation, event: Event) -> Iterator[tuple[str, object, str | None]]:
    """List what an event says was observed."""
    match event.fact:
        case ReadingsTaken(readings=readings):
            yield from ((r.observation, r.value, r.answer) for r in readings)
        case ChartRead(reading=reading, counted=counted):
            found = (entry for entry in reading.entries if entry.key in counted)
            yield from ((entry.observation, None, entry.answer) for entry in found)
        case ScaleAssessed(scale=name, items=items, total=total):
            scale = world.protocol.vocabulary.scales[name]
            yield (scale.total, total, None)
            for item, observation in scale.item_observations.items():
                yield (observation, items[item - 1], None)


def decided(
    world: Simulation,
    event: Event,
    gate: Gate,
    need: Requirement,
    value: object,
) -> bool:
    """A prescriber had decided ahead that such a value passes, and nothing had ended that."""
    rule = gate.standing
    if rule is None or not isinstance(value, Decimal | int):
        return False
    value = Decimal(value)
    if not any(a.observation == need.observation and a.met(value, None) for a in rule.allows):
        return False
    before = world.events[: world.events.index(event)]
    for place, x in enumerate(before):
        if not isinstance(x.fact, DecidedAhead) or x.fact.gate != gate.id:
            continue
        since = before[place + 1 :]  # what was recorded before was known to whoever decided
        ends = [
            y.at
            for y in since
            if (isinstance(y.fact, DecisionEnded) and y.fact.decision == x.id)
            or (isinstance(y.fact, DecidedAhead) and y.fact.gate == gate.id and y.at > x.at)
            or any(_beyond(before, gate, y, name, found) for name, found, _ in observed(world, y))
        ]
        in_time = x.at <= event.at < x.fact.until and x.fact.phase == phase_of(world, event)
        if in_time and not any(at <= event.at for at in ends):
            return True
    return False


def _beyond(before: list[Event], gate: Gate, taken: Event, name: object, found: object) -> bool:
    """A reading outside of what was allowed; a pressure after a dose of its visit is none."""
    rule = gate.standing
    if rule is None or not isinstance(found, Decimal | int):
        return False
    visit = getattr(taken.fact, "visit", None)
    dosed = any(
        isinstance(y.fact, DoseGiven | StimulationGiven)
        and y.fact.visit == visit
        and y.at <= taken.at
        for y in before
    )
    if gate.id == "blood-pressure-before" and dosed:
        return False
    value = Decimal(found)
    outside = any(a.observation == name and not a.met(value, None) for a in rule.allows)
    return outside or any(v.observation == name and v.met(value, None) for v in rule.void_if)


def known_then(world: Simulation, event: Event, item9: int) -> bool:
    """Item 9 was what a prescriber had decided ahead about, by then, in whichever phase it was."""
    before = world.events[: world.events.index(event)]
    for x in before:
        if not isinstance(x.fact, DecidedAhead) or x.fact.gate != "suicide-risk" or item9 > 1:
            continue
        ended = [
            y
            for y in before
            if isinstance(y.fact, DecisionEnded) and y.fact.decision == x.id and y.at <= event.at
        ]
        left = [
            y
            for y in before
            if isinstance(y.fact, PhaseEntered) and y.at > x.at and y.at <= event.at
        ]
        if x.at <= event.at < x.fact.until and not ended and not left:
            return True
    return False


def tried(event: Event, before: list[Event]) -> Iterator[tuple[str, Decimal, None]]:
    """What a recorded trial says: how many drugs had been tried long enough by then."""
    if isinstance(event.fact, TrialRecorded):
        known = before[: before.index(event) + 1]
        facts = [x.fact for x in known if isinstance(x.fact, TrialRecorded)]
        drugs = {fact.drug for fact in facts if fact.weeks >= 6}
        yield ("adequate_trials", Decimal(len(drugs)), None)


def visit_of(event: Event) -> VisitId:
    """Say at which visit a treatment was given."""
    assert isinstance(event.fact, DoseGiven | StimulationGiven)
    return event.fact.visit


def phase_of(world: Simulation, event: Event) -> PhaseId:
    """Say which phase a treatment belongs to."""
    return phase_at(world, visit_of(event))


def phase_at(world: Simulation, visit: VisitId) -> PhaseId:
    """Say which phase a visit belongs to."""
    return world.pathway.visits[visit].phase
