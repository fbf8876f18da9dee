"""Reads against which score a fall is judged, for each score whose fall is asked for."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from decimal import Decimal

from domain.language.names import ObservationName
from domain.language.protocol import Anchor, BaselineRule, CourseRule, Gate
from protocols.quantities import parse_elapsed, parse_quantity
from protocols.read_gates import read_source
from protocols.read_vocabulary import Words
from protocols.reading import Section


def read_benefit(
    top: Section, gates: Iterable[Gate | CourseRule], words: Words, sources: Collection[str]
) -> dict[ObservationName, BaselineRule]:
    """Read a rule for each such score, and none for any other."""
    known = words.vocabulary.observations
    needs = [need.observation for gate in gates for need in gate.require]
    scores = [known[name].reduction_of for name in needs if name in known]
    judged = sorted(score for score in set(scores) if score is not None and score in known)
    if not judged:
        if words.complete:
            top.absent("benefit", "nothing here requires the reduction of a score")
        else:
            top.skip("benefit")
        return {}
    section = top.section("benefit")
    return {score: _rule(section.section(score), words, score, sources) for score in judged}


def _rule(
    section: Section, words: Words, score: ObservationName, sources: Collection[str]
) -> BaselineRule:
    kind = words.vocabulary.observations[score]
    at_least = section.read(
        "at_least", lambda text: parse_quantity(text, (kind.unit or "",))[0], Decimal(1)
    )
    if section.sound("at_least") and not 0 < at_least <= (kind.high or 0):
        most = f"above 0 and at most {kind.high}"
        section.wrong("at_least", f"must be {most} {kind.unit}: from 0 no reduction can be judged")
    return BaselineRule(
        anchor=section.choice("baseline", Anchor),
        within=section.read("measured_within", parse_elapsed, timedelta(days=1)),
        at_least=at_least,
        source=read_source(section, sources),
    )
