"""Check measurements against the vocabulary: known, in the right unit, physically possible.

A wrong unit is refused with the right one and never converted.
"""

from decimal import Decimal

from domain.language.errors import Malformed
from domain.language.names import ObservationName
from domain.language.observations import Measurement, Reading
from domain.language.vocabulary import GRANTED, ObservationKind, Scale, Vocabulary

SYSTOLIC, DIASTOLIC = ObservationName("systolic_bp"), ObservationName("diastolic_bp")


def read_measurements(
    vocabulary: Vocabulary, measurements: tuple[Measurement, ...]
) -> tuple[Reading, ...]:
    """Return the measurements as readings; Malformed lists everything wrong with them."""
    if not measurements:
        raise Malformed("at least one reading is required")
    wrong: list[str] = []
    names = [m.observation for m in measurements]
    if len(set(names)) != len(names):
        wrong.append("each observation may be given only once")
    scored = {
        ObservationName(name) for scale in vocabulary.scales.values() for name in _of_scale(scale)
    }
    for measurement in measurements:
        kind = vocabulary.observations.get(measurement.observation)
        if kind is None:
            direct = {k for k, v in vocabulary.observations.items() if not v.derived} - scored
            known = ", ".join(sorted(direct))
            wrong.append(f"unknown observation; known observations: {known}")
        elif measurement.observation in scored:
            wrong.append(f"{kind.name} comes from its scale's items; record an assessment")
        else:
            wrong.extend(_problems(kind, measurement))
    together = set(names)
    if (SYSTOLIC in together) != (DIASTOLIC in together):
        wrong.append("systolic_bp and diastolic_bp must be recorded together")
    values = {m.observation: m.value for m in measurements}
    high, low = values.get(SYSTOLIC), values.get(DIASTOLIC)
    if not wrong and high is not None and low is not None and low >= high:
        wrong.append("diastolic_bp must be below systolic_bp")
    if wrong:
        raise Malformed("; ".join(wrong))
    return tuple(Reading(m.observation, m.value, m.answer) for m in measurements)


def _of_scale(scale: Scale) -> tuple[str, ...]:
    return (scale.total, *scale.item_observations.values())


def _problems(kind: ObservationKind, given: Measurement) -> list[str]:
    if kind.derived:
        return [f"{kind.name} is computed and cannot be recorded"]
    if not kind.numeric:
        answers = " or ".join(kind.answers)
        if given.value is not None or given.unit is not None:
            return [f"{kind.name} takes the answer {answers}, without value or unit"]
        if kind.authorizes is not None and given.answer == GRANTED:
            what = "record the authorization itself: its number, days, units and codes"
            return [f"{kind.name} cannot be recorded as granted; {what}"]
        return [] if given.answer in kind.answers else [f"{kind.name} must be {answers}"]
    problems = []
    if given.answer is not None:
        problems.append(f"{kind.name} takes a number, not an answer")
    if given.unit not in (kind.unit, kind.ucum):
        problems.append(f"{kind.name} must be in {kind.unit} ({kind.ucum}); nothing is converted")
    value = given.value
    if value is None:
        problems.append(f"{kind.name} needs a value in {kind.unit}")
    elif not value.is_finite() or _outside(kind, value) or _part_of_a_point(kind, value):
        whole = "whole " if kind.unit == "points" else ""
        problems.append(f"{kind.name} must be {kind.low} to {kind.high} {whole}{kind.unit}")
    return problems


def _part_of_a_point(kind: ObservationKind, value: Decimal) -> bool:
    return kind.unit == "points" and value % 1 != 0


def _outside(kind: ObservationKind, value: Decimal) -> bool:
    return (kind.low is not None and value < kind.low) or (
        kind.high is not None and value > kind.high
    )
