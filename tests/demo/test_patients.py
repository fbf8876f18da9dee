"""Synthetic patients are believable: what they score goes with how they fare, day after day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from demo.patients import SyntheticPatient, Way

DAY = date(2027, 3, 1)
people = st.builds(
    SyntheticPatient,
    st.text(max_size=8),
    st.integers(20, 45),
    st.sampled_from(Way),
    st.integers(0, 3),
)


@given(people, st.integers(0, 400))
def test_every_item_is_one_that_the_scale_has(person: SyntheticPatient, later: int):
    """Ten items of MADRS from 0 to 6, nine of PHQ-9 from 0 to 3, whoever it is and whenever."""
    day = DAY + timedelta(days=later)
    madrs, phq9 = person.madrs(day, DAY), person.phq9(day, DAY)
    assert (len(madrs), len(phq9)) == (10, 9)
    assert set(madrs) <= set(range(7))
    assert set(phq9) <= set(range(4))


@given(people)
def test_nobody_changes_much_before_treatment(person: SyntheticPatient):
    """Untreated, both scales stay within a tenth of where they were."""
    totals = [sum(person.madrs(DAY + timedelta(days=n), None)) for n in range(30)]
    assert max(totals) - min(totals) <= person.madrs_before * 0.1 + 2


@given(people)
def test_the_end_of_a_course_is_the_way_it_went(person: SyntheticPatient):
    """Four weeks on: who remits is at a third or less, who stays ill above four fifths, on both."""
    day = DAY + timedelta(weeks=6)
    for before, now in (
        (sum(person.madrs(DAY, None)), sum(person.madrs(day, DAY))),
        (sum(person.phq9(DAY, None)), sum(person.phq9(day, DAY))),
    ):
        if person.way is Way.REMITS:
            assert now <= before * 0.34 + 1
        elif person.way is Way.RESPONDS:
            assert now <= before * 0.5 + 2
        elif person.way is Way.STAYS_ILL:
            assert now >= before * 0.8 - 3


@given(people, st.integers(0, 60), st.integers(1, 20))
def test_a_visit_has_its_peak_at_40_minutes(person: SyntheticPatient, later: int, session: int):
    """Pressure rises and falls, and nobody leaves sedated or dissociated."""
    day = DAY + timedelta(days=later)
    before, peak = person.before_dose(day), person.after_40_minutes(day, session)
    leaving = person.after_two_hours(day)
    assert peak.systolic > max(before.systolic, leaving.systolic)
    assert peak.diastolic > max(before.diastolic, leaving.diastolic)
    assert (leaving.sedation, leaving.dissociation <= 4) == (5, True)
