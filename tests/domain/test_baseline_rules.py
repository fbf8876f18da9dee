"""Which score is the baseline, by constructed pathways: of which phase, and which came late."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.language.baselines import BaselineNamed
from domain.language.names import EventId, ObservationName, PathwayId, PhaseId, VisitId
from domain.language.pathway import Baseline, Observed, Pathway, Phase, Session
from domain.language.protocol import Anchor, CombinedProtocol
from domain.rules.baselines import NoBaseline, baseline_of, came_after, renamed, to_name
from tests.domain.scenes import FIRST
from tests.domain.simulation import COMBINED, DTMS, INDUCTION, NEW_YORK

MADRS, PHQ9 = ObservationName("madrs_total"), ObservationName("phq9_total")
DOSE = datetime(2026, 11, 30, 14, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = f"{INDUCTION}/{MADRS}"


def scored(name: str, total: int, days: float = -1) -> Observed:
    """A score of so many days after the first dose."""
    return Observed(EventId(name), DOSE + days * DAY, Decimal(total), None, None)


def treated(*scores: Observed, phases: tuple[PhaseId, ...] = (INDUCTION,)) -> Pathway:
    """A pathway with these MADRS scores; treated in these phases, a week apart."""
    sessions = {
        str(phase): Session(VisitId("v"), phase, 1, DOSE + 7 * place * DAY, None)
        for place, phase in enumerate(phases)
    }
    entered = {
        phase: Phase(DOSE, FIRST, number) for number, phase in enumerate((INDUCTION, DTMS), start=1)
    }
    return Pathway(
        PathwayId("p"),
        zone=NEW_YORK,
        phases=entered,
        sessions=sessions,
        readings={MADRS: scores},
    )


def named(pathway: Pathway) -> dict[str, BaselineNamed]:
    """What Kairos would name, by phase and score."""
    return {f"{fact.phase}/{fact.score}": fact for fact in to_name(COMBINED, pathway)}


def test_the_last_score_by_the_first_dose_is_named():
    """One of the very instant counts, a later one does not, and where there is none, none is."""
    scores = (scored("a", 30, -9), scored("b", 28, 0), scored("c", 20, 0.01))
    found = named(treated(*scores))
    assert found[KEY] == BaselineNamed(INDUCTION, MADRS, EventId("b"), DOSE)
    assert found[f"{INDUCTION}/{PHQ9}"] == BaselineNamed(INDUCTION, PHQ9, None, DOSE)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_of_scores_of_one_instant_the_lowest_is_named(order: tuple[int, ...]):
    """It shows the smaller fall, whichever was entered first."""
    three = (scored("a", 30), scored("b", 24), scored("c", 27))
    found = named(treated(*(three[place] for place in order)))
    assert found[KEY].event == "b"


def test_a_phase_without_a_treatment_is_passed_over():
    """Left untreated it has no baseline; the next has its own."""
    found = named(treated(scored("a", 30), phases=(DTMS,)))
    assert set(found) == {f"{DTMS}/{MADRS}", f"{DTMS}/{PHQ9}"}


def standing(event: str | None, **changed: object) -> Baseline:
    """A baseline that stands for the induction."""
    made = Baseline(None if event is None else EventId(event), DOSE, by_person=False)
    return replace(made, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stands", "voided", "again"),
    [
        (standing("a"), (), None),
        (standing(None), (), None),
        (standing("a"), ("a",), 2),
        (standing("a", times=4), ("a",), 5),
        (standing("a", since=DOSE - DAY), (), 2),
        (standing("a", since=DOSE - DAY, by_person=True), (), None),
        (standing("a", by_person=True), ("a",), 2),
    ],
)
def test_it_is_named_anew_only_where_it_does_not_stand(
    stands: Baseline, voided: tuple[str, ...], again: int | None
):
    """Its score was in error, or another dose was the first; a person's choice outlives that."""
    pathway = replace(
        treated(scored("b", 28)),
        baselines={KEY: stands},
        voided={EventId(event): "a slip" for event in voided},
    )
    found = named(pathway).get(KEY)
    assert (None if found is None else found.number) == again


def anchored(anchor: Anchor) -> CombinedProtocol:
    """The shipped pathway whose second phase judges a fall so."""
    phases = [
        replace(p, benefit={k: replace(rule, anchor=anchor) for k, rule in p.benefit.items()})
        for p in COMBINED.phases
    ]
    return replace(COMBINED, phases=tuple(phases))


@pytest.mark.parametrize(
    ("anchor", "phases", "event"),
    [
        (Anchor.PATHWAY, (INDUCTION, DTMS), "a"),
        (Anchor.PHASE, (INDUCTION, DTMS), "b"),
        (Anchor.PATHWAY, (DTMS,), "b"),
        (Anchor.PATHWAY, (), "b"),
    ],
)
def test_the_phase_whose_baseline_counts(anchor: Anchor, phases: tuple[PhaseId, ...], event: str):
    """That of the first treated phase, or the phase's own, as its protocol says."""
    pathway = treated(scored("a", 30), scored("b", 24, 5), phases=phases)
    baselines = {
        KEY: standing("a"),
        f"{DTMS}/{MADRS}": standing("b", since=DOSE + 7 * DAY),
    }
    found = baseline_of(anchored(anchor), replace(pathway, baselines=baselines), DTMS, MADRS)
    assert isinstance(found, Observed)
    assert found.evidence == event


@pytest.mark.parametrize("baselines", [{}, {KEY: standing(None)}, {KEY: standing("gone")}])
def test_no_baseline_says_who_names_one(baselines: dict[str, Baseline]):
    """Never named, named as none, or its score is not there any more."""
    says = "a MADRS total from before the first treatment; a prescriber can name one"
    for pathway in (treated(scored("a", 30)), treated(), replace(treated(), readings={})):
        found = baseline_of(COMBINED, replace(pathway, baselines=baselines), INDUCTION, MADRS)
        assert found == NoBaseline(says)


@pytest.mark.parametrize(("total", "judged"), [(10, True), (9, False)])
def test_from_what_value_on_a_fall_is_judged(total: int, *, judged: bool):
    """Ten points are enough, nine are not: the score that will not do goes with the answer."""
    seen = scored("a", total)
    pathway = replace(treated(seen), baselines={KEY: standing("a")})
    found = baseline_of(COMBINED, pathway, INDUCTION, MADRS)
    says = (
        "MADRS total was 9 points before treatment (2026-11-29); a reduction is judged only "
        "from 10 points or more"
    )
    assert found == (seen if judged else NoBaseline(says, seen))


@pytest.mark.parametrize(
    ("days", "by_person", "judged"), [(14, False, True), (15, False, False), (15, True, True)]
)
def test_how_old_a_baseline_may_be(days: int, *, by_person: bool, judged: bool):
    """Fourteen days, unless a prescriber named it."""
    seen = scored("a", 28, -days)
    pathway = replace(treated(seen), baselines={KEY: standing("a", by_person=by_person)})
    found = baseline_of(COMBINED, pathway, INDUCTION, MADRS)
    assert isinstance(found, Observed) is judged
    if not judged:
        assert found == NoBaseline(
            "a MADRS total from at most 14 days before the first treatment; the last one, from "
            "2026-11-15, was 15 days before it: a prescriber can name one"
        )


@pytest.mark.parametrize(
    ("event", "late"),
    [("a", ["b", "c"]), ("b", ["c"]), ("c", []), (None, ["a", "b", "c"]), ("d", ["a", "b", "c"])],
)
def test_which_scores_came_after_their_baseline_was_named(event: str | None, late: list[str]):
    """From before the first dose, at its instant too, and later than the one that was named."""
    scores = (scored("a", 30, -3), scored("b", 28, -2), scored("c", 26, 0), scored("e", 9, 1))
    pathway = replace(treated(*scores), baselines={KEY: standing(event)})
    found = list(came_after(pathway))
    assert [score.evidence for _, score in found] == late
    assert {key for key, _ in found} <= {KEY}


def test_two_scores_of_one_instant_are_no_late_ones():
    """The other of the two that were there when it was named came no later."""
    scores = (scored("a", 30, -2), scored("b", 28, -2))
    pathway = replace(treated(*scores), baselines={KEY: standing("b")})
    assert list(came_after(pathway)) == []
    assert renamed(KEY, standing("a", times=4, since_number=3)) == f"{KEY}/renamed-3"
