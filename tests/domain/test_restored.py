"""An entry that counts again: never beside what stands in its place, nor without what it needs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.language.authorizations import AuthorizationRecorded, AuthorizedUnit
from domain.language.corrections import CorrectEntry, EntryVoided
from domain.language.errors import Conflict
from domain.language.events import Event
from domain.language.names import Author, EventId, PhaseDecision, Role, RuleId, Treatment
from domain.language.observations import ReadingsTaken, RecordReadings, ScaleAssessed
from domain.language.phases import Decide, DecisionMade, OrderSigned, SignOrder
from domain.language.release import Disposition, NotTreated, ReleaseVisit, VisitReleased
from domain.language.standing import DecideAhead, DecidedAhead
from domain.language.treatment import DoseGiven, RecordDose
from domain.language.visits import CheckIn, MissVisit, VisitCheckedIn
from domain.rules.authorized import of_treatment, to_renew
from domain.rules.rests_on import in_the_way
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, TWO, checked_in, dose, dosed, ready, rules
from tests.domain.simulation import DTMS, INDUCTION, Refusal, readings

NURSE = Author("a-nurse", Role.NURSE)
DTMS_TREATMENT, DEVICE, OTHER = Treatment.DTMS, AuthorizedUnit.DEVICE, NotTreated.OTHER
WHY = "It was meant for another patient."


def entry(course: Course, kind: type) -> Event:
    """The last entry of this kind."""
    return [event for event in course.events if isinstance(event.fact, kind)][-1]


def back(course: Course, event: EventId, by: Author = PRESCRIBER) -> Refusal | None:
    """Take an entry back; the refusal if it may not be."""
    refusal = course.attempt(CorrectEntry(event, WHY), by)
    course.run_rules()
    return refusal


def restored(course: Course, by: Author = PRESCRIBER) -> Refusal | None:
    """Take the last void back."""
    return back(course, entry(course, EntryVoided).id, by)


def test_a_correction_to_a_stop_is_taken_back_by_a_prescriber_only():
    """Corrected to what stops, it is not undone by a nurse who takes the correction back."""
    course = ready()
    course.do(RecordReadings(course.now, readings(rems_enrolment="confirmed")), NURSE)
    told = entry(course, ReadingsTaken)
    wish = RecordReadings(told.at, readings(rems_enrolment="not confirmed"))
    course.do(CorrectEntry(told.id, WHY, wish), PRESCRIBER)
    assert rules(restored(course, NURSE)) == ["may-correct"]
    assert "rems-enrolled" in rules(dose(course))


def test_a_dose_is_not_restored_beside_another_of_its_number():
    """Taken back, and another one given since: it is reported anew, with a number of its own."""
    course = dosed()
    first = entry(course, DoseGiven)
    assert back(course, first.id) is None
    course.wait(timedelta(minutes=1))
    assert dose(course) is None
    refusal = back(course, [e.id for e in course.events if isinstance(e.fact, EntryVoided)][-1])
    assert rules(refusal) == ["corrected-since"]
    assert "report this one as a new session" in str(refusal)
    assert len(course.pathway.sessions) == 1


def test_a_dose_is_not_restored_where_nobody_came():
    """Dose and check-in taken back: the dose cannot stand alone, nor can a release."""
    course = dosed()
    made = entry(course, DoseGiven).id
    assert back(course, made) is None
    void = entry(course, EntryVoided).id
    assert back(course, entry(course, VisitCheckedIn).id) is None
    refusal = back(course, void)
    assert "restore that first" in str(refusal)
    assert restored(course) is None
    assert back(course, void) is None
    assert len(course.pathway.sessions) == 1


def test_a_release_is_not_restored_where_nobody_came():
    """Left, said in error, and the check-in too: the leaving needs the coming."""
    course = checked_in()
    course.do(ReleaseVisit(ONE, Disposition.AGAINST_ADVICE, "Went without a word.", None, OTHER))
    assert back(course, entry(course, VisitReleased).id) is None
    void = entry(course, EntryVoided).id
    assert back(course, entry(course, VisitCheckedIn).id) is None
    assert "restore that first" in str(back(course, void))


def test_nobody_is_at_two_visits():
    """A check-in is not restored while the patient is here for another visit."""
    course = checked_in()
    assert back(course, entry(course, VisitCheckedIn).id) is None
    void = entry(course, EntryVoided).id
    course.wait(timedelta(hours=10))
    course.do(MissVisit(ONE))
    course.run(TWO)
    while course.pathway.visits[TWO].checked_in is None:
        course.follow_next()
    refusal = back(course, void)
    assert "discharge them first" in str(refusal)


def test_what_was_restored_is_taken_back_by_its_own_name():
    """No void of a void of a void: whoever changes their mind again names the entry."""
    course = dosed()
    made = entry(course, DoseGiven).id
    assert back(course, made) is None
    assert restored(course) is None
    refusal = restored(course)
    assert "name the entry itself" in str(refusal)
    assert back(course, made) is None
    assert course.pathway.sessions == {}


def test_a_letter_is_not_restored_beside_itself():
    """Taken back and recorded anew, the first one does not count a second time."""
    course = dosed()
    letter = entry(course, AuthorizationRecorded)
    assert isinstance(letter.fact, AuthorizationRecorded)
    again = course.authorized(letter.fact.treatment)
    assert back(course, letter.id) is None
    course.do(replace(again, number=letter.fact.number.lower()))
    assert "recorded again later" in str(restored(course))
    for number in (letter.fact.number.lower(), letter.fact.number.replace("-", " - ")):
        assert isinstance(course.attempt(replace(again, number=number)), Conflict)


@pytest.mark.parametrize("kind", [ScaleAssessed, ReadingsTaken])
def test_of_a_kind_that_is_gone_nothing_counts_again(kind: type):
    """Under words that have neither the scale nor the observation a void of one stays."""
    course = ready()
    assert back(course, entry(course, kind).id) is None
    void = entry(course, EntryVoided)
    words = replace(course.protocol.vocabulary, scales={}, observations={})
    bare = replace(course.protocol, vocabulary=words)
    block = in_the_way(bare, course.pathway, course.events, void)
    assert block is not None
    assert "the vocabulary no longer has" in str(block.finding)
    assert in_the_way(course.protocol, course.pathway, course.events, void) is None


def test_a_decision_taken_back_under_a_standing_one_is_refused():
    """What was decided for several visits of the next phase is taken back first."""
    course = dosed()
    course.run(TWO)
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "As discussed."))
    course.run_rules()
    last = course.now.date() + timedelta(days=7)
    course.do(DecideAhead(RuleId("suicide-risk"), last, "known and planned for"), PRESCRIBER)
    made = entry(course, DecisionMade).id
    assert "a standing decision in accelerated deep TMS" in str(back(course, made))
    assert back(course, entry(course, DecidedAhead).id) is None
    void = entry(course, EntryVoided).id
    assert back(course, made) is None
    assert "no longer in accelerated deep TMS" in str(back(course, void))
    course.assess("phq9", *(0,) * 8, 1)
    course.run_rules()
    assert any(key.startswith(Ask.REVIEW_RISK) for key in course.pathway.tasks)


@pytest.mark.parametrize("over", ["next phase", "end"])
def test_an_order_of_a_phase_that_is_over_stays_taken_back(over: str):
    """Restored it would be active in the EHR beside the next one, or after the end."""
    course = dosed()
    course.run(TWO)
    assert back(course, entry(course, OrderSigned).id) is None
    void = entry(course, EntryVoided).id
    decision = PhaseDecision.MOVE_ON if over == "next phase" else PhaseDecision.STOP
    course.run(Ask.SIGN_ORDER)
    course.do(Decide(INDUCTION, decision, "As discussed."))
    assert "no longer in" in str(back(course, void))


def test_an_order_is_signed_of_the_version_that_was_seen():
    """Moved to another version between reading and signing, the signature is refused."""
    course = ready()
    assert back(course, entry(course, OrderSigned).id) is None
    seen = course.protocol.version
    refusal = course.attempt(SignOrder(INDUCTION, seen + 1))
    assert isinstance(refusal, Conflict)
    assert "look again" in str(refusal)
    assert course.attempt(SignOrder(INDUCTION, seen)) is None


def test_visits_planned_anew_keep_to_the_phase_s_first_day():
    """After a move that was taken back as many visits are ahead, the next no later than before."""
    course = dosed()
    course.run(TWO)
    before = [v.at.day for v in course.pathway.visits_in(INDUCTION) if v.status == "booked"]
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "As discussed."))
    course.run_rules()
    assert back(course, entry(course, DecisionMade).id) is None
    after = [v.at.day for v in course.pathway.visits_in(INDUCTION) if v.status == "proposed"]
    assert len(after) == 7
    assert after[0] <= before[0]
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "As discussed after all."))
    course.run_rules()
    course.run(Ask.SIGN_ORDER)
    course.do(SignOrder(DTMS))
    course.run_rules()
    first = course.pathway.phases[DTMS].first_visit.day
    assert min(v.at.day for v in course.pathway.visits_in(DTMS) if v.status != "cancelled") >= first


def test_a_dose_of_more_than_is_left_is_held():
    """Two devices left are a dose of 56 mg, and none of 84."""
    course = ready()
    made = entry(course, AuthorizationRecorded)
    assert back(course, made.id) is None
    assert isinstance(made.fact, AuthorizationRecorded)
    course.authorized(made.fact.treatment, 2, unit=DEVICE)
    refusal = course.attempt(RecordDose(ONE, course.now, 84, "lot-1"))
    assert {"authorization", "dose"} <= set(rules(refusal))
    assert dose(course) is None


def test_an_old_letter_takes_back_no_denial():
    """Denied, a letter of long ago is recorded: it covers nothing, and the denial stands."""
    course = ready()
    course.wait(timedelta(minutes=1))
    course.do(RecordReadings(course.now, readings(esketamine_authorization="denied")))
    course.wait(timedelta(minutes=1))
    treatment = entry(course, AuthorizationRecorded).fact.treatment  # type: ignore[union-attr]
    course.authorized(treatment, 8, days=(-300, -200))
    assert "authorization" in rules(dose(course))


def test_a_letter_that_does_not_pay_here_is_not_used():
    """The one that excludes the other treatment keeps its units; the other one's are counted."""
    course = ready()
    made = entry(course, AuthorizationRecorded)
    assert isinstance(made.fact, AuthorizationRecorded)
    assert back(course, made.id) is None
    esketamine = made.fact.treatment
    course.authorized(esketamine, 8, days=(-1, 30), excludes=(DTMS_TREATMENT,))
    course.authorized(esketamine, 5)
    assert dose(course) is None
    left = [each.left for each in of_treatment(course.protocol, course.pathway, esketamine)]
    assert left == [8, 4]


def test_no_other_letter_is_asked_for_where_none_is_required():
    """Said later than the last letter that none is needed, nobody is asked for one."""
    course = ready()
    made = entry(course, AuthorizationRecorded)
    assert isinstance(made.fact, AuthorizationRecorded)
    assert back(course, made.id) is None
    course.authorized(made.fact.treatment, 1)
    assert [*to_renew(course.protocol, course.pathway)]
    course.wait(timedelta(minutes=1))
    course.do(RecordReadings(course.now, readings(esketamine_authorization="not required")))
    assert not [*to_renew(course.protocol, course.pathway)]


def test_enough_for_what_is_still_to_come_asks_for_nothing():
    """As many sessions as are left to give, and no more, are enough: none is counted twice."""
    course = ready()
    made = entry(course, AuthorizationRecorded)
    assert isinstance(made.fact, AuthorizationRecorded)
    assert back(course, made.id) is None
    course.authorized(made.fact.treatment, 8)
    assert not [*to_renew(course.protocol, course.pathway)]
    assert dose(course) is None
    assert not [*to_renew(course.protocol, course.pathway)]
    assert course.attempt(CheckIn(ONE)) is not None


def test_an_order_from_before_a_phase_was_entered_anew_stays_taken_back():
    """Signed, taken back, left and entered again: that order was of another time in the phase."""
    course = dosed()
    course.run(TWO)
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "As discussed."))
    course.run_rules()
    course.run(Ask.SIGN_ORDER)
    course.do(SignOrder(DTMS))
    assert back(course, entry(course, OrderSigned).id) is None
    void = entry(course, EntryVoided).id
    assert back(course, entry(course, DecisionMade).id) is None
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "As discussed after all."))
    course.run_rules()
    assert "no longer in" in str(back(course, void))
    course.do(SignOrder(DTMS))
    assert entry(course, OrderSigned).fact == OrderSigned(DTMS, 2)
