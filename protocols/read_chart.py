"""Reads what an EHR's chart answers by itself: codes, each with where its meaning was read.

The lists are reviewed data and never whole, so they answer yes and never no.
"""

from collections.abc import Mapping
from datetime import timedelta

from domain.language.chart import ChartSign, ChartType
from domain.language.names import ObservationName
from domain.language.vocabulary import ObservationKind
from protocols.codes import SYSTEMS, mistyped, read_system
from protocols.quantities import NotUnderstood, parse_elapsed
from protocols.reading import Section, choose

NOTHING = (ObservationName(""), "")
COUNTS = {"while it is active": False, "also when it is past": True}


def read_chart(
    top: Section, observations: Mapping[ObservationName, ObservationKind]
) -> tuple[ChartSign, ...]:
    """Read every line, each held against the observation that it answers."""
    if not top.has("chart"):
        return ()
    return tuple(_sign(section, observations) for section in top.sections("chart"))


def _sign(section: Section, observations: Mapping[ObservationName, ObservationKind]) -> ChartSign:
    name, answer = section.read("says", lambda text: read_answer(text, observations), NOTHING)
    kind = section.read("in", lambda text: choose(text, ChartType), ChartType.CONDITION)
    system, codes = _codes(section, kind)
    values_of, values = _values(section, kind)
    within = section.read("within", parse_elapsed, timedelta()) if section.has("within") else None
    past = False
    if kind in (ChartType.CONDITION, ChartType.ALLERGY):
        past = section.read("counts", _counts, past)
    else:
        section.absent("counts", "only a diagnosis or an allergy can be past")
    section.text("verified")
    return ChartSign(name, answer, kind, system, codes, past, values_of, values, within)


def _codes(section: Section, kind: ChartType) -> tuple[str, tuple[str, ...]]:
    if kind is ChartType.COVERAGE:
        for key in ("system", "codes"):
            section.absent(key, "a coverage that is in force is enough")
        return "", ()
    return _listed(section, "system", "codes")


def _values(section: Section, kind: ChartType) -> tuple[str, tuple[str, ...]]:
    if kind is ChartType.OBSERVATION:
        return _listed(section, "value_system", "values")
    for key in ("value_system", "values"):
        section.absent(key, "only an Observation has a value")
    return "", ()


def _listed(section: Section, system_key: str, codes_key: str) -> tuple[str, tuple[str, ...]]:
    """A code system and the codes of it."""
    system = section.read(system_key, read_system, "")
    codes = tuple(word.text for word in section.words(codes_key))
    if section.sound(system_key, codes_key):
        for code in codes:
            if problem := mistyped(system, code):
                section.wrong(codes_key, problem)
        if len(set(codes)) < len(codes):
            section.wrong(codes_key, "lists a code twice")
    return SYSTEMS.get(system, ""), codes


def read_answer(
    text: str, observations: Mapping[ObservationName, ObservationKind]
) -> tuple[ObservationName, str]:
    """Read `pregnancy is present`: an observation and one of its answers."""
    name, is_, answer = text.partition(" is ")
    kind = observations.get(ObservationName(name))
    if not is_ or kind is None or answer not in kind.answers:
        known = f'"{kind.name} is {kind.answers[-1]}"' if kind and kind.answers else "an answer"
        raise NotUnderstood(f'"{text}" is no answer of an observation: write {known}')
    return kind.name, answer


def _counts(text: str) -> bool:
    if text not in COUNTS:
        raise NotUnderstood(f'"{text}" is not one of: {", ".join(COUNTS)}')
    return COUNTS[text]
