"""What a correction that is refused says, word for word, and a screener that a prescriber sees."""

import pytest

from domain.language.corrections import CorrectEntry, EntryVoided
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event
from domain.language.names import CARE, Author, EventId, PathwayId, Role
from domain.language.observations import ReadingsTaken
from domain.language.treatment import DoseGiven, RecordDose
from domain.rules.corrected import refold
from domain.rules.refusing import found
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, checked_in, dosed
from tests.domain.simulation import COMBINED

NURSE = Author("a-nurse", Role.NURSE)
WHY = "typed for another patient"
NOTHING = {"cssrs_wish": "absent", "cssrs_thoughts": "absent", "cssrs_behavior": "absent"}
RECENT = {"cssrs_behavior": "present", "cssrs_behavior_recent": "present"}


def entry(course: Course, kind: type) -> Event:
    """The last entry of a kind."""
    return [event for event in course.events if isinstance(event.fact, kind)][-1]


def test_what_is_not_there_and_what_is_in_error_already():
    """Both say so in a sentence; the first names its field."""
    course = dosed()
    refusal = course.attempt(CorrectEntry(EventId("nothing"), WHY), NURSE)
    assert isinstance(refusal, Malformed)
    assert str(refusal) == "there is no such entry on this pathway; its timeline lists them"
    assert refusal.unknown == "event"
    wish = CorrectEntry(entry(course, DoseGiven).id, WHY)
    course.do(wish, NURSE)
    again = course.attempt(wish, NURSE)
    assert isinstance(again, Conflict)
    assert str(again) == "this entry is already marked as entered in error"


def test_a_correction_that_was_corrected_is_taken_back_first():
    """Any of those who care for the patient may do that, and the refusal says so."""
    course = dosed()
    at = entry(course, DoseGiven).at
    for lot in ("lot-2", "lot-3"):
        given = entry(course, DoseGiven)
        course.do(CorrectEntry(given.id, WHY, RecordDose(ONE, at, 56, lot)), NURSE)
    first = next(event for event in course.events if isinstance(event.fact, EntryVoided))
    refusal = course.attempt(CorrectEntry(first.id, WHY), NURSE)
    says = "the entry that replaced it was corrected later: undo that correction first"
    assert isinstance(refusal, Refused)
    assert str(refusal) == says
    assert refusal.blocked_by == (found("corrected-since", says, CARE),)


@pytest.mark.parametrize(
    ("answers", "taken"), [(NOTHING, True), (NOTHING | RECENT, False)], ids=["none", "recent"]
)
def test_a_screener_that_must_be_seen_is_taken_back_by_a_prescriber(
    answers: dict[str, str], *, taken: bool
):
    """Its tier, which is nobody's to type, makes it so: a nurse takes back a tier of none only."""
    course = checked_in()
    course.measure(ONE, **answers)
    wish = CorrectEntry(entry(course, ReadingsTaken).id, WHY)
    assert (course.attempt(wish, NURSE) is None) is taken
    if not taken:
        assert course.attempt(wish, PRESCRIBER) is None


def test_a_history_is_folded_for_its_own_pathway():
    """Folded anew it is the same pathway by its name, also with nothing recorded yet."""
    course = dosed()
    assert refold(course.pathway.id, course.events, COMBINED.vocabulary) == course.pathway
    assert refold(PathwayId("p9"), [], COMBINED.vocabulary).id == "p9"
