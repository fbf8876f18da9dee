"""What must be true of any course whatever people did: said from the events, not from the checks.

Each fact is written down a second time here, plainly, so that a mistake in the domain's rules is
not repeated by the test that looks for it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from domain import events as e
from domain.clocks import local_day
from domain.names import PhaseId, VisitId
from domain.protocol import Gate, Requirement, Test, When
from tests.domain.clinic import World

COMPARED = {
    Test.AT_MOST: lambda value, limit: value <= limit,
    Test.AT_LEAST: lambda value, limit: value >= limit,
    Test.BELOW: lambda value, limit: value < limit,
    Test.ABOVE: lambda value, limit: value > limit,
}


def check_course(world: World) -> None:
    """Hold all that was recorded against what must always be true."""
    check_spacing(world)
    check_counts_and_doses(world)
    check_gaps(world)
    check_holds(world)
    check_gates(world)
    check_release(world)
    check_finish_within(world)


def check_spacing(world: World) -> None:
    """No two treatment days nearer than the protocol allows, within a phase and between phases."""
    days = [(local_day(x.at, world.zone), phase_of(world, x)) for x in world.treatments()]
    for (day, phase), (later, after) in pairwise(sorted(set(days))):
        apart = (later - day).days
        if phase == after:
            assert apart >= world.protocol.phase(phase).schedule.at_least_apart
        else:
            assert apart >= max(1, world.protocol.days_before(after))


def check_counts_and_doses(world: World) -> None:
    """Never more sessions than ordered, each numbered in turn, the first dose the first one."""
    for phase in world.protocol.phases:
        mine = [x.fact for x in world.treatments() if phase_of(world, x) == phase.id]
        assert [fact.session for fact in mine] == list(range(1, len(mine) + 1))  # type: ignore[union-attr]
        numbers = [stage.sessions for stage in phase.schedule.stages]
        assert None in numbers or len(mine) <= sum(n for n in numbers if n is not None)
        doses = [fact for fact in mine if isinstance(fact, e.DoseGiven)]
        for fact in doses:
            assert phase.dose is not None
            assert fact.mg in phase.dose.then_mg
            assert fact.devices == phase.dose.devices[fact.mg]
        if doses and phase.dose is not None and phase.dose.first_mg:
            assert doses[0].mg == phase.dose.first_mg


def check_gaps(world: World) -> None:
    """Each stimulation begins no sooner after the end of the one before than the gap."""
    given = [(x.at, x.fact) for x in world.treatments()]
    for (_, fact), (start, after) in pairwise(given):
        if isinstance(fact, e.StimulationGiven) and isinstance(after, e.StimulationGiven):
            gap = world.protocol.phase(phase_at(world, after.visit)).schedule.gap_between_sessions
            assert fact.visit != after.visit or gap is None or start - fact.ended >= gap


def check_holds(world: World) -> None:
    """No treatment between the placing of a hold and its lifting, nor before a signed order."""
    holds: dict[str, list[datetime]] = {}
    signed: dict[str, datetime] = {}
    treated = 0
    for event in world.events:
        match event.fact:
            case e.HoldPlaced(hold=hold):
                holds[hold] = [event.at]
            case e.HoldLifted(hold=hold):
                holds[hold].append(event.at)
            case e.OrderSigned(phase=phase):
                signed[phase] = event.at
            case e.DoseGiven() | e.StimulationGiven():
                treated += 1
                assert signed[phase_of(world, event)] <= event.at
                for placed, *lifted in holds.values():
                    assert lifted, "treated while a hold was open"
                    assert not placed <= event.at < lifted[0], "treated at a time of a hold"
    assert treated == len(world.treatments())


def check_gates(world: World) -> None:
    """Before each treatment every gate was met by a fresh reading, or its finding overridden."""
    for place, event in enumerate(world.events):
        if not isinstance(event.fact, e.DoseGiven | e.StimulationGiven):
            continue
        before, visit = world.events[:place], event.fact.visit
        phase = world.protocol.phase(phase_of(world, event))
        given = [x.fact for x in before if isinstance(x.fact, e.DoseGiven | e.StimulationGiven)]
        moments = [When.BEFORE_EACH_SESSION]
        moments += [] if any(x.visit == visit for x in given) else [When.BEFORE_EACH_VISIT]
        if not any(phase_at(world, x.visit) == phase.id for x in given):
            moments.append(When.BEFORE_FIRST_SESSION)
        for gate in phase.gates:
            if gate.when in moments:
                for need in gate.require:
                    check_need(world, before, event, gate, need)


def check_need(
    world: World, before: list[e.Event], event: e.Event, gate: Gate, need: Requirement
) -> None:
    """One requirement of one gate was met or its very finding overridden at this visit."""
    since = event.at - gate.measured_within if gate.measured_within is not None else None
    known = [
        (x.at, x.id, value, answer)
        for x in before
        for name, value, answer in observed(world, x)
        if name == need.observation and x.at <= event.at and (since is None or x.at >= since)
    ]
    assert known, f"{gate.id} was missing {need.observation}"
    _, evidence, value, answer = max(known, key=lambda found: (found[0], found[1]))
    if need.test is Test.RECORDED:
        return
    met = answer == need.answer if need.test is Test.IS else COMPARED[need.test](value, need.value)
    visit = event.fact.visit  # type: ignore[union-attr]
    covered = {
        item
        for x in before
        if isinstance(x.fact, e.GateOverridden) and (x.fact.visit, x.fact.gate) == (visit, gate.id)
        for item in x.fact.evidence
        if x.fact.reason.strip() and gate.overridable
    }
    assert met or evidence in covered, f"{gate.id} held {need.observation}"


def check_release(world: World) -> None:
    """Nobody leaves sooner than two hours after a dose, unless that very finding is overridden."""
    doses = {x.fact.visit: x.at for x in world.events if isinstance(x.fact, e.DoseGiven)}
    waived = {x.fact.visit for x in world.events if isinstance(x.fact, e.GateOverridden)}
    for event in world.events:
        match event.fact:
            case e.VisitReleased(visit=visit) if visit in doses and visit not in waived:
                assert event.at - doses[visit] >= timedelta(hours=2)


def check_finish_within(world: World) -> None:
    """Nobody is treated after the days of a course, unless a prescriber overrides at that visit."""
    first: dict[PhaseId, datetime] = {}
    waived = {f.visit for f in world.facts(e.GateOverridden) if f.gate == "finish-within"}
    for event in world.treatments():
        phase = phase_of(world, event)
        begun = local_day(first.setdefault(phase, event.at), world.zone)
        most = world.protocol.phase(phase).schedule.finish_within
        late = most is not None and (local_day(event.at, world.zone) - begun).days > most
        assert not late or visit_of(event) in waived


def observed(world: World, event: e.Event) -> Iterator[tuple[str, object, str | None]]:
    """List what an event says was observed."""
    match event.fact:
        case e.ReadingsTaken(readings=readings):
            yield from ((r.observation, r.value, r.answer) for r in readings)
        case e.ScaleAssessed(scale=name, items=items, total=total):
            scale = world.protocol.vocabulary.scales[name]
            yield (scale.total, total, None)
            for item, observation in scale.item_observations.items():
                yield (observation, items[item - 1], None)


def visit_of(event: e.Event) -> VisitId:
    """Say at which visit a treatment was given."""
    assert isinstance(event.fact, e.DoseGiven | e.StimulationGiven)
    return event.fact.visit


def phase_of(world: World, event: e.Event) -> PhaseId:
    """Say which phase a treatment belongs to."""
    return phase_at(world, visit_of(event))


def phase_at(world: World, visit: VisitId) -> PhaseId:
    """Say which phase a visit belongs to."""
    return world.pathway.visits[visit].phase
