"""An open pathway goes on under another version of its protocol, or is left behind and says why."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.decide import change
from domain.language.chart import ChartEntry, ChartReading, ReadChart
from domain.language.commands import Command
from domain.language.corrections import ActQuestioned, CorrectEntry
from domain.language.errors import Malformed, Refused
from domain.language.names import (
    Author,
    EventId,
    ObservationName,
    PathwayOutcome,
    PhaseDecision,
    RequestId,
    Role,
    VisitId,
)
from domain.language.observations import (
    Measurement,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.phases import ChangeProtocol, Decide, ProtocolChanged, SignOrder
from domain.language.protocol import CombinedProtocol, When
from domain.language.refusal import Refusal as NotDone
from domain.language.treatment import DoseGiven, RecordDose
from domain.language.visits import CheckIn
from domain.planner import steps
from domain.rules.steps import Ask
from domain.rules.versions import against, differences
from domain.second_look import in_force
from domain.turn import Other, settle
from tests.course import BASELINE, PRESCRIBER, WELL, Course
from tests.domain.scenes import FIRST, ONE, TWO, a_course, checked_in, dosed, minutes, rules
from tests.domain.simulation import COMBINED, DTMS, INDUCTION, readings
from tests.domain.versions import (
    DIRECTOR,
    WHY,
    lower_limit,
    move,
    newer,
    of_kind,
    of_phase,
)


def of_two_visits() -> Course:
    """A course between its first visit and its second."""
    course = dosed()
    course.run(TWO)
    return course


def test_after_the_move_the_next_session_is_judged_by_the_new_version():
    """135 passed before and does not now; no act of before is questioned for it."""
    course = of_two_visits()
    assert move(course, of_phase(lower_limit)) is None
    while course.pathway.visits[TWO].checked_in is None:
        course.follow_next()
    course.run(Ask.GIVE, Ask.RECORD, Ask.CLEAR_GATE)
    course.measure(TWO, systolic_bp=135, diastolic_bp=80)
    refusal = course.attempt(course.treatment(TWO, course.now))
    assert any("135" in block.sentence() for block in refusal.blocked_by)  # type: ignore[union-attr]
    assert not course.facts(ActQuestioned)


def test_what_comes_late_judges_an_act_by_the_rules_of_then():
    """A 135 found afterwards speaks against no dose of the version before; a 150 does."""
    course = dosed()
    late = course.now
    course.run(TWO)
    assert move(course, of_phase(lower_limit)) is None
    for value, questioned in ((135, 0), (150, 1)):
        values = readings(systolic_bp=value, diastolic_bp=80)
        course.do(RecordReadings(late, values), Author("a-nurse", Role.NURSE))
        assert len(course.facts(ActQuestioned)) == questioned


def test_the_trail_says_from_which_to_which_and_why():
    """The event has both versions, the vocabulary's, who and the words."""
    course = of_two_visits()
    new = of_kind("systolic_bp", high=Decimal(260))
    assert move(course, new) is None
    (fact,) = course.facts(ProtocolChanged)
    assert (fact.before, fact.version) == (COMBINED.version, new.version)
    assert (fact.vocabulary, fact.reason) == (new.vocabulary.version, WHY)
    (event,) = [e for e in course.events if e.fact is fact]
    assert event.by == DIRECTOR


def test_only_a_medical_director_with_words_moves_a_pathway():
    """Everybody else is refused, and so is a reason that says nothing."""
    for role in Role:
        if role not in ChangeProtocol.MAY:
            refusal = move(a_course(), newer(title="Another"), Author("somebody", role))
            assert isinstance(refusal, Refused), role
    for reason in ("", " ", "-"):
        assert isinstance(move(a_course(), newer(title="Another"), reason=reason), Malformed)


@pytest.mark.parametrize(
    ("begin", "new", "rule"),
    [
        (a_course, replace(COMBINED, id="another"), "protocol"),
        (a_course, COMBINED, "protocol"),
        (checked_in, newer(title="Another"), "visit-open"),
        (
            of_two_visits,
            of_phase(lambda p: replace(p, schedule=replace(p.schedule, at_least_apart=3))),
            "order-signed",
        ),
        (
            of_two_visits,
            of_phase(lambda p: replace(p, dose=replace(p.dose, first_mg=84))),  # type: ignore[type-var]
            "order-signed",
        ),
        (a_course, newer(phases=COMBINED.phases[1:], days_between=()), "phases"),
        (of_two_visits, of_kind("systolic_bp", unit="kPa"), "vocabulary"),
        (of_two_visits, of_kind("ride_home", answers=("yes", "no")), "vocabulary"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_change_what_was_said_is_left_behind(
    begin: Callable[[], Course], new: CombinedProtocol, rule: str
):
    """Another pathway, an open visit, another order or other words: refused, nothing recorded."""
    course = begin()
    before = (course.pathway, len(course.events))
    assert rule in rules(move(course, new))
    assert (course.pathway, len(course.events)) == before


def test_a_finished_pathway_stays_as_it_ended():
    """What is over goes on under nothing."""
    course = of_two_visits()
    over = replace(course.pathway, outcome=PathwayOutcome.STOPPED)
    assert "pathway-open" in dict(against(COMBINED, newer(title="Another"), over, course.events))


def test_before_an_order_is_signed_another_dose_is_no_hindrance():
    """Nobody has ordered anything yet: whoever signs, signs what the new version says."""
    course = a_course()
    other = of_phase(lambda p: replace(p, dose=replace(p.dose, first_mg=84)))  # type: ignore[type-var]
    assert move(course, other) is None
    assert course.protocol.phases[0].dose.first_mg == 84  # type: ignore[union-attr]


def test_a_word_that_nobody_used_may_go():
    """An observation never recorded is no hindrance, whatever becomes of it."""
    course = a_course()
    assert move(course, of_kind("spo2", unit="promille", ucum="[ppth]")) is None


def test_a_score_keeps_its_items():
    """A scale that was scored with ten items is not one of nine afterwards."""
    course = of_two_visits()
    words = COMBINED.vocabulary
    madrs = words.scales["madrs"]
    for scales in (
        {**words.scales, "madrs": replace(madrs, item_titles=madrs.item_titles[:9])},
        {key: scale for key, scale in words.scales.items() if key != "madrs"},
    ):
        new = newer(vocabulary=replace(words, scales=scales))
        assert "vocabulary" in rules(move(course, new))


def test_moved_back_it_is_as_it_was():
    """A move that was a mistake is taken back by a move: the same steps are next."""
    course = of_two_visits()
    before = steps(course.protocol, course.pathway, course.now)
    assert move(course, of_phase(lower_limit)) is None
    assert move(course, COMBINED) is None
    assert steps(course.protocol, course.pathway, course.now) == before
    assert len(course.facts(ProtocolChanged)) == 2


@pytest.mark.long
def test_a_course_ends_under_a_version_with_fewer_gates():
    """What was decided or asked under a gate that is gone leads nowhere, and to no error."""
    course = of_two_visits()
    kept = When.AFTER_EACH_VISIT
    phases = tuple(
        replace(p, gates=tuple(g for g in p.gates if g.when is kept)) for p in COMBINED.phases
    )
    assert move(course, newer(phases=phases)) is None
    course.run(f"{INDUCTION}-visit-8")
    assert len(course.treatments()) >= 7


def test_the_differences_are_named_by_their_place():
    """A limit with both values, a gate that is new or gone; nothing of signers and hashes."""
    first = COMBINED.phases[0]
    gate = first.gates[0]
    lower = of_phase(lower_limit)
    (limit,) = differences(COMBINED, lower)
    assert limit.endswith("blood-pressure-before.require.systolic_bp.value: 140, now 130")
    gone = of_phase(lambda p: replace(p, gates=p.gates[1:]))
    assert f"phases.{first.id}.gates.{gate.id}: removed" in differences(COMBINED, gone)
    assert f"phases.{first.id}.gates.{gate.id}: added" in differences(gone, COMBINED)
    higher = of_kind("systolic_bp", high=Decimal(260))
    (line,) = differences(COMBINED, higher)
    assert line == "vocabulary.observations.systolic_bp.high: 300, now 260"
    assert differences(COMBINED, newer()) == ()


def test_a_visit_at_which_nobody_is_yet_is_no_hindrance():
    """Booked and proposed visits stay, and are checked in under the new version."""
    course = a_course(FIRST)
    course.run(ONE)
    assert move(course, of_phase(lower_limit)) is None
    while course.pathway.visits[ONE].checked_in is None:
        course.follow_next()
    assert course.attempt(CheckIn(ONE)) is not None


def test_a_phase_that_was_entered_keeps_its_place_and_its_stages():
    """Entered phases in another order, or one given by other stages: left behind."""
    course = of_two_visits()
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "As discussed."))
    course.run_rules()
    first, second, third = COMBINED.phases
    swapped = newer(phases=(second, first, third))
    assert rules(move(course, swapped)) == ["phases"]
    stages = (replace(first.schedule.stages[0], sessions=9),)
    longer = of_phase(lambda p: replace(p, schedule=replace(p.schedule, stages=stages)))
    assert rules(move(course, longer)) == ["phases"]


def test_a_version_that_does_not_know_what_was_recorded_takes_nobody():
    """A kind of observation that is gone from the vocabulary keeps those who have one."""
    course = of_two_visits()
    words = COMBINED.vocabulary
    known = {key: kind for key, kind in words.observations.items() if key != "ride_home"}
    new = newer(vocabulary=replace(words, observations=known))
    assert "vocabulary" in rules(move(course, new))


def test_the_differences_name_what_is_new_and_what_has_no_name():
    """Phases in another number, rules that one version has not, lists of words: each is said."""
    shorter = newer(phases=COMBINED.phases[:2], days_between=COMBINED.days_between[:1])
    last = COMBINED.phases[2].id
    assert f"phases.{last}: removed" in differences(COMBINED, shorter)
    assert "days_between: 2 and 2, now 2" in differences(COMBINED, shorter)
    none = of_phase(lambda p: replace(p, dose=None))
    (dose,) = differences(COMBINED, none)
    assert dose == (
        f"phases.{INDUCTION}.dose: drug esketamine, first mg 56, then mg 56 and 84,"
        " devices 56: 2 and 84: 3, now None"
    )
    first = COMBINED.phases[0]
    stages = (replace(first.schedule.stages[0], sessions=9),)
    longer = of_phase(lambda p: replace(p, schedule=replace(p.schedule, stages=stages)))
    (stage,) = differences(COMBINED, longer)
    assert stage.startswith(f"phases.{INDUCTION}.schedule.stages: sessions 8, rate sessions 2")
    unasked = of_phase(lambda p: replace(p, ordered_by=()))
    (ordered,) = differences(COMBINED, unasked)
    assert ordered == f"phases.{INDUCTION}.ordered_by: prescriber, now nothing"


def test_a_turn_settles_a_move_and_a_refusal_of_it():
    """Given the version to go on under, it is recorded; where it is the same one, it is refused."""
    course = a_course()
    command = Command(RequestId("a-move"), DIRECTOR, ChangeProtocol(2, WHY))
    now = course.now
    for new, moves in ((newer(title="Another"), True), (COMBINED, False)):
        other = Other(new, "kept")
        found = settle(COMBINED, course.pathway, 3, command, now, course.events, other)
        assert isinstance(found, NotDone) != moves


def test_only_a_wish_to_move_is_decided_as_one():
    """Any other wish is a defect of whoever asks."""
    course = a_course()
    command = Command(RequestId("r"), DIRECTOR, CheckIn(ONE))
    with pytest.raises(TypeError, match="not a change of protocol"):
        change(COMBINED, newer(), "kept", course.pathway, command, course.now, course.events)


def test_what_was_taken_back_counts_too():
    """A reading in error and a phase left again may be restored: their version is kept for them."""
    course = of_two_visits()
    course.do(RecordReadings(course.now, readings(suicide_risk="low")))
    entry = next(e.id for e in reversed(course.events) if e.fact.kind == "readings-taken")
    course.do(CorrectEntry(entry, "another patient's"), PRESCRIBER)
    words = COMBINED.vocabulary
    known = {key: kind for key, kind in words.observations.items() if key != "suicide_risk"}
    assert "vocabulary" in rules(move(course, newer(vocabulary=replace(words, observations=known))))
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "As discussed."))
    course.run_rules()
    course.run(Ask.SIGN_ORDER)
    course.do(SignOrder(DTMS))
    course.run_rules()
    for kind in ("order-signed", "decision-made"):
        made = next(e.id for e in reversed(course.events) if e.fact.kind == kind)
        course.do(CorrectEntry(made, "another patient's"), PRESCRIBER)
        course.run_rules()
    assert rules(move(course, newer(phases=COMBINED.phases[:1], days_between=()))) == ["phases"]


def test_a_late_reading_of_a_kind_that_is_new_is_taken():
    """After a move to words that have one kind more, a reading of it from before is recorded."""
    course = dosed()
    late = course.now
    course.run(TWO)
    words = COMBINED.vocabulary
    pulse = replace(words.kind(ObservationName("spo2")), name=ObservationName("pulse"))
    known = {**words.observations, pulse.name: pulse}
    assert move(course, newer(vocabulary=replace(words, observations=known))) is None
    taken = (Measurement(pulse.name, Decimal(97), "%"),)
    assert course.attempt(RecordReadings(late, taken), Author("a-nurse", Role.NURSE)) is None


def test_what_is_put_right_after_the_move_is_judged_by_the_version_of_its_time():
    """135 of after the move is beyond the new limit; one of before it was not, and still is not."""
    course = of_two_visits()
    assert move(course, of_phase(lower_limit)) is None
    course.run(Ask.GIVE)
    course.do(course.treatment(TWO, course.now))
    given = [event for event in course.events if isinstance(event.fact, DoseGiven)]
    course.wait(minutes(1))
    for wrong, forbidden in ((given[1], True), (given[0], False)):
        assert isinstance(wrong.fact, DoseGiven)
        visit = wrong.fact.visit
        values = readings(systolic_bp=135, diastolic_bp=80)
        course.do(RecordReadings(wrong.at, values, visit), PRESCRIBER)
        instead = RecordDose(visit, wrong.at, wrong.fact.mg, "another-lot")
        course.do(CorrectEntry(wrong.id, "typed from the box", instead), PRESCRIBER)
        right = course.facts(DoseGiven)[-1]
        assert right.lot == "another-lot"
        assert any("135" in each for each in right.findings) is forbidden


def test_an_earlier_version_that_is_kept_nowhere_is_judged_by_the_newest():
    """Rather by other rules than by none."""
    course = of_two_visits()
    assert move(course, of_phase(lower_limit)) is None
    assert in_force(course.protocol, course.events, 0, {}) is course.protocol


def test_a_score_of_a_scale_that_is_new_is_taken_from_before_the_move():
    """After a move to words with one scale more, and a dose of before is looked at with it."""
    course = dosed()
    late = course.now
    course.run(TWO)
    words = COMBINED.vocabulary
    name = "clinic_scale"
    total = replace(words.kind(ObservationName("madrs_total")), name=ObservationName(name))
    scale = replace(words.scales["madrs"], name=name, total=total.name, item_observations={})
    scales, kinds = {**words.scales, name: scale}, {**words.observations, total.name: total}
    assert move(course, newer(vocabulary=replace(words, scales=scales, observations=kinds))) is None
    course.do(RecordAssessment(name, late - minutes(1), BASELINE), PRESCRIBER)
    right = RecordAssessment(name, late - minutes(1), WELL)
    scored = next(e for e in reversed(course.events) if isinstance(e.fact, ScaleAssessed))
    course.do(CorrectEntry(scored.id, "another sheet", right), PRESCRIBER)
    assert course.facts(ScaleAssessed)[-1].scale == name


def test_what_the_chart_answered_counts_too():
    """An answer that the EHR's chart gave keeps the pathway with the words that have it."""
    course = a_course()
    entry = ChartEntry(ObservationName("insurance"), "on file", "Coverage/1")
    course.do(ReadChart(ChartReading((entry,))))
    assert rules(move(course, of_kind("insurance", answers=("self-pay", "none")))) == ["vocabulary"]


@pytest.mark.parametrize("by", ["a visit", "an order"])
def test_a_phase_that_was_entered_in_error_still_has_to_be_there(by: str):
    """Its visits and its order are in the record: a version without that phase cannot say them."""
    course = of_two_visits()
    pathway = course.pathway
    if by == "a visit":
        other = replace(pathway.visits[ONE], id=VisitId("other"), phase=DTMS)
        pathway = replace(pathway, visits={**pathway.visits, other.id: other})
    else:
        pathway = replace(pathway, orders_in_error={EventId("order"): DTMS})
    first, _, third = COMBINED.phases
    without = newer(phases=(first, third))
    says = "the new version does not have a phase that was entered before"
    assert list(against(COMBINED, without, pathway, course.events)) == [("phases", says)]
    assert not list(against(COMBINED, without, course.pathway, course.events))
    assert not list(against(COMBINED, newer(), pathway, course.events))
