"""What is left of payers' authorizations: which pays for a session, and when none does."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from domain.language.authorizations import (
    Authorization,
    AuthorizationRecorded,
    AuthorizedUnit,
    RecordAuthorization,
)
from domain.language.clocks import LocalTime, instant
from domain.language.names import EventId, ObservationName, Treatment, VisitStatus
from domain.language.pathway import Observed, Pathway, Session
from domain.rules.authorized import first_without, lacking, of_treatment, to_renew
from domain.rules.steps import Ask, AskPerson
from tests.domain.scenes import ONE, ready
from tests.domain.simulation import COMBINED, DTMS, INDUCTION, MAINTENANCE

ESKETAMINE, STIMULATION = Treatment.ESKETAMINE, Treatment.DTMS
FIRST, LAST = date(2026, 12, 1), date(2026, 12, 31)
SESSION, DAY = AuthorizedUnit.SESSION, AuthorizedUnit.DAY
DEVICE, MG = AuthorizedUnit.DEVICE, AuthorizedUnit.MILLIGRAM
SAID = ObservationName("esketamine_authorization")


def letter(
    number: str,
    units: int = 8,
    unit: AuthorizedUnit = SESSION,
    days: tuple[date, date] = (FIRST, LAST),
    treatment: Treatment = ESKETAMINE,
    excludes: tuple[Treatment, ...] = (),
) -> AuthorizationRecorded:
    """What a payer wrote."""
    return AuthorizationRecorded(treatment, number, *days, units, unit, ("G2082",), excludes)


def at(day: date, hour: int = 15) -> datetime:
    """An hour of a local day; 15:00 UTC is the morning in the clinic."""
    return datetime.combine(day, time(hour), UTC)


def having(*letters: AuthorizationRecorded, given: Mapping[datetime, int] | None = None) -> Pathway:
    """A pathway with these letters, and doses given at these instants, of so many milligrams."""
    held = {EventId(each.number): Authorization(each, at(date(2026, 11, 1))) for each in letters}
    sessions = {
        f"s{n}": Session(ONE, INDUCTION, n, when, None, mg)
        for n, (when, mg) in enumerate((given or {}).items(), 1)
    }
    return replace(ready().pathway, authorizations=held, sessions=sessions, readings={})


def left(pathway: Pathway, treatment: Treatment = ESKETAMINE) -> dict[str, int]:
    """What is left of each letter by its number, in the order in which they are used."""
    covers = of_treatment(COMBINED, pathway, treatment)
    return {each.authorization.says.number: each.left for each in covers}


@pytest.mark.parametrize(
    ("day", "after"),
    [
        (FIRST - timedelta(days=1), 8),
        (FIRST, 7),
        (LAST, 7),
        (LAST + timedelta(days=1), 8),
    ],
)
def test_what_is_given_on_either_of_its_days_uses_it_and_no_other_does(day: date, after: int):
    """Both the day on which a letter begins and the day on which it ends are paid for."""
    assert left(having(letter("A"), given={at(day): 56})) == {"A": after}


@pytest.mark.parametrize(
    ("unit", "mg", "used"),
    [
        (SESSION, 84, 1),
        (DAY, 84, 1),
        (DEVICE, 56, 2),
        (DEVICE, 84, 3),
        (MG, 84, 84),
        (DEVICE, 70, 3),
    ],
)
def test_a_dose_uses_what_it_is_in_the_units_of_its_letter(
    unit: AuthorizedUnit, mg: int, used: int
):
    """84 mg is three devices or 84 units of 1 mg; an amount of no known kit uses the largest."""
    assert left(having(letter("A", 500, unit), given={at(FIRST): mg})) == {"A": 500 - used}


def test_two_sessions_of_one_day_use_one_day():
    """By days a second session of the same day is free, and the next day is not."""
    twice = {at(FIRST, 14): 56, at(FIRST, 20): 56}
    assert left(having(letter("A", 3, DAY), given=twice)) == {"A": 2}
    next_day = {**twice, at(FIRST + timedelta(days=1)): 56}
    assert left(having(letter("A", 3, DAY), given=next_day)) == {"A": 1}
    assert left(having(letter("A", 3, SESSION), given=twice)) == {"A": 1}
    spent = of_treatment(COMBINED, having(letter("A", 1, DAY), given=twice), ESKETAMINE)
    assert lacking(COMBINED, spent, FIRST) is None
    assert lacking(COMBINED, spent, FIRST + timedelta(days=1)) is not None


def test_the_letter_that_ends_first_is_used_first():
    """Of two that cover a day the first to end, then the first to begin, then the first entered."""
    early, late = letter("B", days=(FIRST, LAST - timedelta(days=9))), letter("A")
    assert list(left(having(late, early)).items()) == [("B", 8), ("A", 8)]
    assert left(having(late, early, given={at(FIRST): 56})) == {"B": 7, "A": 8}
    begins = letter("A", days=(FIRST + timedelta(days=1), LAST)), letter("B")
    assert list(left(having(*begins))) == ["B", "A"]
    assert list(left(having(letter("B"), letter("A")))) == ["A", "B"]


def test_a_letter_with_too_little_left_is_passed_over_for_one_with_enough():
    """56 left of 60 mg pay for no 84 mg: the next letter does, and the first keeps what it has."""
    small, large = letter("A", 60, MG), letter("B", 300, MG)
    assert left(having(small, large, given={at(FIRST): 84})) == {"A": 60, "B": 216}
    assert left(having(small, large, given={at(FIRST): 56})) == {"A": 4, "B": 300}


def test_what_no_letter_pays_for_in_full_uses_up_the_first_that_has_any():
    """A dose that was given was given: what was left is gone, and never less than nothing."""
    one, two = letter("A", 56, MG), letter("B", 60, MG)
    assert left(having(one, two, given={at(FIRST): 84})) == {"A": 0, "B": 60}
    spent = {at(FIRST, 14): 56, at(FIRST, 20): 84}
    assert left(having(one, two, given=spent)) == {"A": 0, "B": 0}
    again = {at(FIRST + timedelta(days=n)): 56 for n in range(3)}
    assert left(having(letter("A", 2), given=again)) == {"A": 0}


def test_a_day_that_is_paid_for_uses_no_other_letter():
    """The second session of that day is free by days, also where the letter is used up by it."""
    first, second = letter("A", 1, DAY), letter("B", 5, DAY)
    twice = {at(FIRST, 14): 56, at(FIRST, 20): 56}
    assert left(having(first, second, given=twice)) == {"A": 0, "B": 5}


def in_maintenance(given: int = 0) -> Pathway:
    """A pathway in its open phase: a missed visit, then those to come, so many doses at the one."""
    pathway = ready().pathway
    planned = pathway.visits_in(INDUCTION)
    gone = (VisitStatus.MISSED, *(visit.status for visit in planned[1:]))
    visits = {
        visit.id: replace(visit, phase=MAINTENANCE, stage=1, status=status)
        for visit, status in zip(planned, gone, strict=True)
    }
    sessions = {
        f"m{n}": Session(planned[1].id, MAINTENANCE, n + 1, at(FIRST), None, 56)
        for n in range(given)
    }
    phases = {MAINTENANCE: pathway.phases[INDUCTION]}
    return replace(pathway, phases=phases, visits=visits, sessions=sessions, readings={})


def test_in_an_open_phase_every_visit_that_is_planned_is_ahead():
    """Its stage wants no number of sessions; a missed visit is none, and one that was treated."""
    ahead = len(ready().pathway.visits_in(INDUCTION)) - 1
    for given in (0, 1):
        for units, asks in ((ahead - 1, True), (ahead, False)):
            held = {EventId("A"): Authorization(covering("A", units), at(date(2026, 11, 1)))}
            pathway = replace(in_maintenance(given), authorizations=held)
            assert bool(asked(pathway)) is asks


def test_a_letter_that_does_not_pay_here_is_not_used():
    """One that excludes dTMS is left as it is on a pathway that gives dTMS."""
    excluding = letter("A", excludes=(STIMULATION,))
    assert left(having(excluding, letter("B"), given={at(FIRST): 56})) == {"A": 8, "B": 7}


def test_a_treatment_uses_its_own_letters_alone():
    """A dose of esketamine uses nothing of what is authorized for dTMS."""
    pathway = having(letter("A"), letter("T", treatment=STIMULATION), given={at(FIRST): 56})
    assert left(pathway) == {"A": 7}
    assert left(pathway, STIMULATION) == {"T": 8}


@pytest.mark.parametrize(
    ("unit", "units", "says"),
    [
        (SESSION, 1, "1 session"),
        (SESSION, 2, "2 sessions"),
        (DAY, 2, "2 days"),
        (DEVICE, 1, "1 device"),
        (DEVICE, 2, "2 devices"),
        (MG, 56, "56 mg"),
        (MG, 1, "1 mg"),
    ],
)
def test_what_is_used_up_is_said_in_its_units(unit: AuthorizedUnit, units: int, says: str):
    """One session, two sessions, 56 mg: as one says it."""
    day = FIRST + timedelta(days=2)
    given = {at(day - timedelta(days=n)): 84 for n in (1, 2)}
    covers = of_treatment(COMBINED, having(letter("A", units, unit), given=given), ESKETAMINE)
    assert lacking(COMBINED, covers, day) == ("A", f"A is used up: 0 left of {says}")


@pytest.mark.parametrize(
    ("unit", "units", "mg", "enough"),
    [
        (MG, 84, 84, True),
        (MG, 83, 84, False),
        (MG, 56, None, True),
        (DEVICE, 3, 84, True),
        (DEVICE, 2, 84, False),
        (DEVICE, 2, None, True),
        (SESSION, 1, 84, True),
    ],
)
def test_exactly_enough_is_enough(
    unit: AuthorizedUnit, units: int, mg: int | None, *, enough: bool
):
    """What is left pays for a dose of that many milligrams, or for the smallest to come."""
    covers = of_treatment(COMBINED, having(letter("A", units, unit)), ESKETAMINE)
    assert (lacking(COMBINED, covers, FIRST, mg) is None) is enough


def test_the_first_session_ahead_that_none_covers_is_found():
    """Two left and three sessions ahead: the third; nothing where no letter was ever recorded."""
    days = [FIRST, FIRST + timedelta(days=3), FIRST + timedelta(days=7)]
    found = first_without(COMBINED, having(letter("A", 2)), ESKETAMINE, days)
    assert found == (days[2], "A", "A is used up: 0 left of 2 sessions")
    assert first_without(COMBINED, having(letter("A", 3)), ESKETAMINE, days) is None
    assert first_without(COMBINED, having(), ESKETAMINE, days) is None
    by_day = having(letter("A", 1, DAY))
    assert first_without(COMBINED, by_day, ESKETAMINE, [FIRST] * 5) is None
    assert first_without(COMBINED, by_day, ESKETAMINE, [FIRST, days[1]]) is not None


def asked(pathway: Pathway) -> list[AskPerson]:
    """Whom Kairos asks for another letter."""
    return list(to_renew(COMBINED, pathway))


def booked(pathway: Pathway) -> list[LocalTime]:
    """When the planned visits of the induction are."""
    planned = (VisitStatus.PROPOSED, VisitStatus.BOOKED, VisitStatus.CHECKED_IN)
    return [v.at for v in pathway.visits_in(INDUCTION) if v.status in planned]


def covering(number: str, units: int, **more: object) -> AuthorizationRecorded:
    """A letter that covers every day of a course."""
    return letter(number, units, days=(date(2026, 1, 1), date(2027, 12, 31)), **more)  # type: ignore[arg-type]


def test_another_letter_is_asked_for_in_full():
    """Which treatment, on which day, of which letter, from whom and until when."""
    pathway = having(covering("A", 2))
    (ask,) = asked(pathway)
    third = booked(pathway)[2]
    assert ask == AskPerson(
        Ask.RENEW_AUTHORIZATION,
        "esketamine/A",
        RecordAuthorization.MAY,
        f"Record another authorization for {COMBINED.phase(INDUCTION).title}: "
        f"on {third.day}, A is used up: 0 left of 2 sessions.",
        "authorization",
        due=instant(third, pathway.zone),
    )
    assert not asked(having(covering("A", len(booked(pathway)))))


def test_no_letter_is_asked_for_where_somebody_said_later_that_none_is_needed():
    """`not required` counts if it came after every letter of that treatment, and no other word."""
    pathway = having(covering("A", 2), covering("T", 1, treatment=STIMULATION))

    def said(answer: str, when: datetime, of: ObservationName = SAID) -> Pathway:
        reading = Observed(EventId("e"), when, None, answer, None)
        return replace(pathway, readings={of: (reading,)})

    letters = at(date(2026, 11, 1))
    later = letters + timedelta(seconds=1)
    assert not asked(said("not required", later))
    assert asked(said("not required", letters))
    assert asked(said("denied", later))
    assert asked(said("not required", later, ObservationName("tms_authorization")))
    newer = {**pathway.authorizations}
    newer[EventId("T")] = replace(newer[EventId("T")], recorded=later + timedelta(days=1))
    assert not asked(replace(said("not required", later), authorizations=newer))


def in_dtms(given: int = 0, here: int = 0) -> Pathway:
    """A pathway in the dTMS phase, so many sessions given before and at today's visit."""
    course = ready()
    course.run(f"{DTMS}-visit-1")
    pathway = course.pathway
    visits = pathway.visits_in(DTMS)
    stimulations = {
        f"t{n}": Session(visit, DTMS, n, when, when + timedelta(minutes=9))
        for n, (visit, when) in enumerate(
            [
                *((visits[-1].id, at(FIRST) + timedelta(minutes=n)) for n in range(given)),
                *((visits[0].id, at(FIRST) + timedelta(hours=1, minutes=n)) for n in range(here)),
            ],
            1,
        )
    }
    return replace(pathway, sessions=stimulations, readings={})


def with_units(pathway: Pathway, units: int) -> Pathway:
    """The same with one letter of so many sessions of dTMS."""
    held = covering("T", units, treatment=STIMULATION)
    known = {EventId("T"): Authorization(held, at(date(2026, 11, 1)))}
    return replace(pathway, authorizations=known)


def planned(pathway: Pathway) -> int:
    """How many sessions a letter must pay for so that no other is asked for."""
    used = len(pathway.sessions)
    return next(n for n in range(1, 200) if not asked(with_units(pathway, n + used)))


@pytest.mark.long
def test_sessions_ahead_are_those_that_the_stages_still_want():
    """A day has five stimulations; those given at it are not ahead any more, nor a whole stage."""
    phase = COMBINED.phase(DTMS)
    stages = {visit.stage for visit in in_dtms().visits_in(DTMS)}
    wanted = sum(
        min(
            phase.schedule.stages[stage].sessions or 10_000,
            phase.schedule.stages[stage].per_visit
            * sum(v.stage == stage for v in in_dtms().visits_in(DTMS)),
        )
        for stage in stages
    )
    assert planned(in_dtms()) == wanted
    assert planned(in_dtms(here=2)) == wanted - 2
    assert planned(in_dtms(here=5)) == wanted - 5
    assert planned(in_dtms(given=wanted - 2)) == 2
