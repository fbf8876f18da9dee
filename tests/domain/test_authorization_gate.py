"""The gate of a payer's authorization: letters and what people said of them, the later of both."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.language.authorizations import Authorization, AuthorizationRecorded, AuthorizedUnit
from domain.language.findings import Blocked
from domain.language.names import EventId, ObservationName, Role, Treatment
from domain.language.pathway import Observed, Pathway
from domain.language.requirements import Requirement
from domain.rules.gates import Look, evaluate, found_for
from tests.domain.scenes import ONE, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION

SAID = ObservationName("esketamine_authorization")
DAY = date(2026, 12, 1)
NOW = datetime(2026, 12, 1, 15, tzinfo=UTC)  # 10:00 at the clinic
GATE = next(gate for gate in COMBINED.phase(INDUCTION).gates if gate.id == "authorization")
NEED = next(need for need in GATE.require if need.observation == SAID)
ALONE = replace(GATE, require=(NEED,))


def november(day: int, minute: int = 0) -> datetime:
    """Ten o'clock at the clinic on a day of November."""
    return datetime(2026, 11, day, 15, minute, tzinfo=UTC)


def letter(
    number: str, recorded: datetime, last: date = date(2027, 3, 1), mg: int = 500
) -> tuple[EventId, Authorization]:
    """A letter of so many milligrams, from October on until its last day."""
    says = AuthorizationRecorded(
        Treatment.ESKETAMINE,
        number,
        date(2026, 10, 1),
        last,
        mg,
        AuthorizedUnit.MILLIGRAM,
        ("J0013",),
    )
    return EventId(number), Authorization(says, recorded)


def a_pathway(
    *letters: tuple[EventId, Authorization], said: tuple[tuple[str, datetime], ...] = ()
) -> Pathway:
    """A pathway with these letters, of which people said this."""
    known = tuple(
        Observed(EventId(f"said-{place}"), when, None, answer, None)
        for place, (answer, when) in enumerate(said)
    )
    readings = {SAID: known} if known else {}
    return replace(ready().pathway, authorizations=dict(letters), sessions={}, readings=readings)


def told(pathway: Pathway, mg: int | None = None) -> tuple[Blocked, ...]:
    """What the gate finds on the first of December."""
    return evaluate(ALONE, Look(COMBINED, pathway, NOW, ONE, mg))


def judged(pathway: Pathway, mg: int | None = None) -> Observed | None:
    """What the gate's line is judged by."""
    return found_for(GATE, NEED, Look(COMBINED, pathway, NOW, ONE, mg))


EARLY, LATE = november(1), november(10)
OVER = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("said", "answer", "evidence"),
    [
        ((), "granted", "B"),
        ((("denied", november(9)),), "granted", "B"),
        ((("denied", november(11)),), "denied", "said-0"),
        ((("denied", LATE),), "denied", "said-0"),
        ((("denied", november(2)), ("pending", november(3))), "granted", "B"),
        ((("denied", november(2)), ("pending", november(11))), "pending", "said-1"),
    ],
)
def test_of_letters_that_pay_and_words_the_later_counts(
    said: tuple[tuple[str, datetime], ...], answer: str, evidence: str
):
    """The newest letter that pays, unless somebody said otherwise since, or at that instant."""
    found = judged(a_pathway(letter("A", EARLY), letter("B", LATE), said=said))
    assert found is not None
    assert (found.answer, found.evidence) == (answer, evidence)
    assert found.at == (LATE if answer == "granted" else dict(said)[answer])
    if answer == "granted":
        assert found == Observed(EventId("B"), LATE, None, "granted", None)


def test_what_was_said_at_the_instant_of_a_letter_counts_beside_it():
    """Neither is the later: the denial is found, and the letter passes nothing."""
    blocks = told(a_pathway(letter("A", LATE), said=(("denied", LATE),)))
    assert [block.evidence for block in blocks] == [("said-0",)]
    assert told(a_pathway(letter("A", LATE), said=(("denied", november(10, 1)),)))
    assert told(a_pathway(letter("A", LATE), said=(("denied", november(9, 59)),))) == ()


@pytest.mark.parametrize(
    ("answer", "when", "evidence"),
    [
        ("not required", november(9), "B"),
        ("not required", LATE, None),
        ("not required", november(11), None),
        ("denied", november(9), "said-0"),
        ("denied", november(11), "said-0"),
    ],
)
def test_that_none_is_needed_counts_unless_a_letter_came_since(
    answer: str, when: datetime, evidence: str | None
):
    """Said before the last letter, `not required` is over with it; a denial goes on counting."""
    letters = letter("A", EARLY, OVER), letter("B", LATE, OVER)
    blocks = told(a_pathway(*letters, said=((answer, when),)))
    assert [block.evidence for block in blocks] == ([] if evidence is None else [(evidence,)])


def test_a_letter_that_is_over_says_so_by_its_number():
    """What it lacks, since when it is known, and everybody who can record another, or override."""
    (block,) = told(a_pathway(letter("B", LATE, OVER)))
    assert block.finding == (
        "payer's authorization of esketamine B ended on 2026-11-30, required granted or not "
        "required (recorded Tuesday 2026-11-10 10:00 EST)"
    )
    assert block.evidence == ("B",)
    assert block.who == (Role.CARE_MANAGER, Role.NURSE, Role.PRESCRIBER)
    assert judged(a_pathway(letter("B", LATE, OVER))) == Observed(
        EventId("B"), LATE, None, "B ended on 2026-11-30", None
    )


def test_a_dose_is_held_against_what_is_left_in_its_own_milligrams():
    """60 mg are enough for 56 and not for 84; another letter that has enough pays."""
    small = letter("A", EARLY, mg=60)
    assert told(a_pathway(small), 56) == ()
    assert told(a_pathway(small)) == ()
    (block,) = told(a_pathway(small), 84)
    assert "A is used up: 60 left of 60 mg" in str(block.finding)
    assert told(a_pathway(small, letter("B", LATE)), 84) == ()


def test_nothing_known_is_missing_for_those_who_can_say():
    """Neither letter nor word: asked of those who record it, with its age."""
    (block,) = told(a_pathway())
    assert block.missing == "payer's authorization of esketamine, recorded in the last 90 days"
    assert block.who == (Role.CARE_MANAGER, Role.NURSE, Role.PRESCRIBER)


def test_a_finding_says_the_day_also_on_that_day():
    """The sentence is kept, and read on another day."""
    course = ready()
    gate = next(g for g in COMBINED.phase(INDUCTION).gates if g.id == "blood-pressure-before")
    course.wait(minutes(5))
    course.measure(ONE, systolic_bp=150, diastolic_bp=80)
    when = "Monday 2026-11-30 09:05 EST"
    for later in (minutes(5), timedelta(days=1)):
        look = Look(COMBINED, course.pathway, course.now + later, ONE)
        (block,) = evaluate(replace(gate, measured_within=None), look)
        assert block.finding == (
            f"systolic blood pressure 150 mmHg, required at most 140 mmHg (measured {when})"
        )


def test_what_is_counted_is_not_the_minutes_since_the_dose():
    """At a visit at which a dose was given, trials are trials all the same."""
    course = dosed()
    gate = next(g for g in COMBINED.phase(INDUCTION).gates if g.id == "treatment-resistance")
    need: Requirement = gate.require[0]
    course.wait(minutes(30))
    found = found_for(gate, need, Look(COMBINED, course.pathway, course.now, ONE))
    assert found is not None
    assert found.value == len({trial.drug for trial in course.pathway.trials.values()})
