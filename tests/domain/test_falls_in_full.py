"""A fall, a count and an age in words: what is computed is judged and said like what is read."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.language.findings import Blocked
from domain.language.names import EventId, ObservationName, Role, RuleId
from domain.language.pathway import Observed
from domain.language.protocol import Gate, Otherwise, When
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Compare
from domain.language.trials import RecordTrial, TrialOutcome
from domain.rules.gates import Look, evaluate, found_for
from tests.course import Course
from tests.domain.scenes import FIRST, ONE, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION

PHASE = COMBINED.phase(INDUCTION)
GATES = {str(gate.id): gate for gate in PHASE.gates}
BENEFIT, TRIED = GATES["benefit-at-four-weeks"], GATES["treatment-resistance"]
MADRS, TIER = ObservationName("madrs_total"), ObservationName("cssrs_tier")


def look(course: Course) -> Look:
    """Look at the pathway now, at no visit."""
    return Look(course.protocol, course.pathway, course.now)


def scored(*totals: int) -> Course:
    """A baseline of 28, and MADRS scores of these totals of one instant a day after the dose."""
    course = dosed()
    course.wait(timedelta(days=1))
    for total in totals:
        each, rest = divmod(total, 9)
        course.assess("madrs", *(each + (place < rest) for place in range(9)), 0)
    return course


def test_a_fall_that_cannot_be_judged_is_missing_or_a_finding():
    """Without a baseline it is missing; from one that is too low it is found, and overridable."""
    course = scored(14)
    none = replace(course.pathway, baselines={})
    (block,) = evaluate(BENEFIT, replace(look(course), pathway=none))
    assert block == Blocked(
        BENEFIT.id,
        (Role.PRESCRIBER,),
        missing="a MADRS total from before the first treatment; a prescriber can name one",
        why=BENEFIT.why,
        source=BENEFIT.source,
    )
    known = course.pathway.readings[MADRS]
    low = (replace(known[0], value=Decimal(9)), *known[1:])
    there = replace(
        look(course),
        pathway=replace(course.pathway, readings={**course.pathway.readings, MADRS: low}),
    )
    finding = (
        "MADRS total was 9 points before treatment (2026-11-29); a reduction is judged only "
        "from 10 points or more"
    )
    for otherwise, overridable in ((Otherwise.ASK_PRESCRIBER, True), (Otherwise.STOP, False)):
        gate = replace(BENEFIT, otherwise=otherwise)
        (block,) = evaluate(gate, there)
        assert block == Blocked(
            BENEFIT.id,
            (Role.PRESCRIBER,),
            finding=finding,
            overridable=overridable,
            evidence=(known[0].evidence,),
            why=BENEFIT.why,
            source=BENEFIT.source,
            stops=otherwise is Otherwise.STOP,
        )


def test_a_fall_that_is_too_small():
    """From 28 to 21 is 25 percent: with its score as evidence and the baseline's day."""
    course = scored(21)
    (block,) = evaluate(BENEFIT, look(course))
    assert block == Blocked(
        BENEFIT.id,
        (Role.PRESCRIBER,),
        finding="MADRS reduction 25 percent, required at least 50 percent "
        "(from 28 on 2026-11-29, measured Tuesday 2026-12-01 09:00 EST)",
        overridable=True,
        evidence=(course.pathway.readings[MADRS][-1].evidence,),
        why=BENEFIT.why,
        source=BENEFIT.source,
    )


@pytest.mark.parametrize(
    ("totals", "fall"), [((14,), 50), ((7, 21), 25), ((21, 7), 25), ((0,), 100)]
)
def test_of_two_scores_of_one_instant_the_higher_is_judged(totals: tuple[int, ...], fall: int):
    """It shows the smaller fall; a score of nothing is a whole fall, and none at all is none."""
    found = found_for(BENEFIT, BENEFIT.require[0], look(scored(*totals)))
    assert found is not None
    assert found.value == fall


def test_a_missing_score_is_asked_of_those_who_score():
    """A fall is missing by its score's name, for those who record that score."""
    course = scored(14)
    course.wait(timedelta(days=7, minutes=1))
    (block,) = evaluate(BENEFIT, look(course))
    kind = COMBINED.vocabulary.kind(MADRS)
    assert block.missing == f"{kind.title}, recorded in the last 7 days"
    assert block.who == kind.recorded_by


def test_the_baseline_alone_is_no_fall():
    """While the last score is the baseline itself there is nothing to judge."""
    assert found_for(BENEFIT, BENEFIT.require[0], look(dosed())) is None


def tried(*weeks: int, outcome: TrialOutcome = TrialOutcome.NO_RESPONSE) -> Course:
    """Somebody who took a drug each for so many weeks."""
    course = Course(FIRST)
    for number, length in enumerate(weeks):
        course.do(RecordTrial(f"drug {number}", "SSRI", "200 mg", length, outcome))
    return course


def test_too_few_trials():
    """One drug of adequate length: how many there are, for how long each, and the last entry."""
    course = tried(8, 5)
    (block,) = evaluate(TRIED, look(course))
    kind = COMBINED.vocabulary.kind(ObservationName("adequate_trials"))
    assert block == Blocked(
        TRIED.id,
        (Role.PRESCRIBER,),
        finding=f"{kind.title} 1 trial, required at least 2 trials (each for at least 6 weeks)",
        overridable=True,
        evidence=(list(course.pathway.trials)[-1],),
        why=TRIED.why,
        source=TRIED.source,
    )
    found = found_for(TRIED, TRIED.require[0], look(course))
    assert found is not None
    assert found.value == 1
    assert found.at == course.now
    (block,) = evaluate(TRIED, look(tried()))
    assert (block.missing, block.who) == (f"{kind.title}, recorded", RecordTrial.MAY)


@pytest.mark.parametrize(
    ("within", "words"),
    [
        (minutes(30), "30 min"),
        (minutes(60), "60 min"),
        (minutes(90), "90 min"),
        (minutes(120), "2 hours"),
        (timedelta(hours=12), "12 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=7), "7 days"),
    ],
)
def test_an_age_in_words(within: timedelta, words: str):
    """In minutes to an hour, in whole hours, and in whole days."""
    gate = replace(GATES["rems-enrolled"], measured_within=within)
    block = evaluate(gate, look(Course(FIRST)))[0]
    assert block.missing == f"REMS enrolment, recorded in the last {words}"


def test_a_tier_is_judged_by_the_age_that_its_gate_asks():
    """A screener of eight days ago is none where seven are asked; the worst of one instant is."""
    gate = Gate(
        RuleId("screened"),
        When.BEFORE_EACH_VISIT,
        (Requirement(TIER, Compare.AT_MOST, Decimal(0)),),
        timedelta(days=7),
        Otherwise.HOLD,
        "why",
        "clinic",
    )
    course = ready()
    seen = [
        Observed(EventId(f"e{tier}"), course.now, Decimal(tier), None, ONE) for tier in (2, 0, 1)
    ]
    for known in (seen, seen[::-1]):
        readings = {**course.pathway.readings, TIER: tuple(known)}
        there = replace(look(course), pathway=replace(course.pathway, readings=readings))
        found = found_for(gate, gate.require[0], there)
        assert found is not None
        assert found.value == 2
        later = replace(there, at=course.now + timedelta(days=7))
        assert found_for(gate, gate.require[0], later) == found
        too_late = replace(there, at=later.at + minutes(1))
        assert found_for(gate, gate.require[0], too_late) is None
        (block,) = evaluate(gate, too_late)
        assert block.finding is None


def test_time_observed_is_of_the_visit():
    """Computed from its dose for the visit that is looked at; of the pathway there is none."""
    course = dosed()
    gate = GATES["fit-to-leave"]
    observed = gate.require[0]
    course.wait(minutes(7))
    there = Look(COMBINED, course.pathway, course.now, ONE)
    found = found_for(gate, observed, there)
    assert found == Observed(EventId(f"{ONE}/minutes-observed"), course.now, Decimal(7), None, ONE)
    assert found_for(gate, observed, replace(there, visit=None)) is None
