"""Which entries of a chart answer what a vocabulary asks. Pure; reads FHIR, says no patient data.

FHIR R4 Condition, AllergyIntolerance, MedicationRequest, Observation and Coverage. What was
refuted or entered in error is nothing; what is only suspected counts, because it is a person's to
say that it is not so.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from domain.language.chart import ChartEntry, ChartSign, ChartType

CONDITION_OVER = frozenset({"inactive", "remission", "resolved"})
NOT_SO = frozenset({"refuted", "entered-in-error"})
IN_USE = ("active", "on-hold", "unknown")
CONCEPTS = (
    "code",
    "clinicalStatus",
    "verificationStatus",
    "medicationCodeableConcept",
    "valueCodeableConcept",
)
SAID = ("preliminary", "final", "amended", "corrected")

Resource = Mapping[str, Any]


def is_readable(kind: ChartType, resource: Resource) -> bool:
    """Say whether an entry has the form that R4 gives it, as far as it is looked at."""
    concepts = [resource.get(key) for key in CONCEPTS]
    listed = [each.get("coding", []) for each in concepts if isinstance(each, Mapping)]
    status = resource.get("status")
    turned = any(resource.get(key) for key in ("modifierExtension", "implicitRules"))
    return (
        not turned
        and _names_its_drug(kind, resource)
        and all(each is None or isinstance(each, Mapping) for each in concepts)
        and all(isinstance(each, list) for each in listed)
        and all(isinstance(coding, Mapping) for each in listed for coding in each)
        and (status is None or isinstance(status, str))
        and (kind is not ChartType.COVERAGE or isinstance(resource.get("period", {}), Mapping))
    )


def _names_its_drug(kind: ChartType, resource: Resource) -> bool:
    """Say whether a request says for which drug it is; what it contains must be there."""
    if kind is not ChartType.MEDICATION or resource.get("resourceType") == "Medication":
        return True
    if "medicationCodeableConcept" in resource:
        return True
    said = resource.get("medicationReference")
    place = said.get("reference") if isinstance(said, Mapping) else None
    return isinstance(place, str) and (not place.startswith("#") or bool(_within(resource, place)))


def entries_of(
    kind: ChartType,
    resources: Sequence[Resource],
    signs: Sequence[ChartSign],
    today: date,
    drugs: Mapping[str, Resource],
) -> tuple[ChartEntry, ...]:
    """List what these readable resources answer, the first answer of each to a question."""
    found = {
        entry.key: entry
        for resource in reversed(resources)
        for sign in reversed(signs)
        for entry in _answers(kind, resource, sign, today, drugs)
    }
    return tuple(found[key] for key in reversed(found))


def _answers(
    kind: ChartType, resource: Resource, sign: ChartSign, today: date, drugs: Mapping[str, Resource]
) -> Iterator[ChartEntry]:
    place = f"{kind}/{resource['id']}"
    if kind is ChartType.COVERAGE:
        if _in_force(resource, today):
            yield ChartEntry(sign.observation, sign.answer, place)
        return
    if not _counts(kind, resource, sign, today):
        return
    for concept in _what(kind, resource, drugs):
        for system, code in _codings(concept):
            if sign.names(system, code):
                yield ChartEntry(sign.observation, sign.answer, place, code)
                return


def _counts(kind: ChartType, resource: Resource, sign: ChartSign, today: date) -> bool:
    """Say whether an entry is one that counts at all: not in error, and not over where that is so.

    What has no status is taken as it stands.
    """
    match kind:
        case ChartType.CONDITION | ChartType.ALLERGY:
            verified = _codes(resource.get("verificationStatus"))
            clinical = _codes(resource.get("clinicalStatus"))
            over = bool(clinical & CONDITION_OVER) or (not clinical and _abated(resource, today))
            return not verified & NOT_SO and (sign.past or not over)
        case ChartType.MEDICATION:
            in_use = resource.get("status", "unknown") in IN_USE
            return in_use and resource.get("doNotPerform") is not True
        case _:
            value = set(_codings(resource.get("valueCodeableConcept")))
            wanted = {(sign.value_system, each) for each in sign.values}
            fresh = sign.within is None or _since(resource, today) <= sign.within
            return resource.get("status") in SAID and bool(value & wanted) and fresh


def _what(kind: ChartType, resource: Resource, drugs: Mapping[str, Resource]) -> list[object]:
    """The concepts that say what it is about: an allergy's substances, a drug's ingredients."""
    if kind is ChartType.ALLERGY:
        return [resource.get("code"), *_each(resource, "reaction", "substance")]
    if kind is not ChartType.MEDICATION:
        return [resource.get("code")]
    if "medicationCodeableConcept" in resource:
        return [resource["medicationCodeableConcept"]]
    said = resource.get("medicationReference")
    place = str(said.get("reference", "")) if isinstance(said, Mapping) else ""
    within = _within(resource, place)
    drug = within[0] if within else drugs.get(place, {})
    return [drug.get("code"), *_each(drug, "ingredient", "itemCodeableConcept")]


def _within(resource: Resource, place: str) -> list[Resource]:
    contained = resource.get("contained")
    return [
        each
        for each in (contained if isinstance(contained, list) else [])
        if isinstance(each, Mapping) and place == f"#{each.get('id')}"
    ]


def _each(resource: Resource, key: str, part: str) -> list[object]:
    listed = resource.get(key)
    every = listed if isinstance(listed, list) else []
    return [each.get(part) for each in every if isinstance(each, Mapping)]


def _codings(concept: object) -> Iterator[tuple[str, str]]:
    listed = concept.get("coding") if isinstance(concept, Mapping) else None
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, Mapping):
            yield str(each.get("system", "")), str(each.get("code", ""))


def _codes(concept: object) -> set[str]:
    return {code for _, code in _codings(concept)}


def _abated(resource: Resource, today: date) -> bool:
    """Say whether it is over by its abatement; one that is still to come is not."""
    ended = resource.get("abatementDateTime")
    if isinstance(ended, str):
        return ended[:10] <= today.isoformat()[: len(ended)]
    said = [key for key in resource if key.lstrip("_").startswith("abatement")]
    return any(resource[key] is not False for key in said)  # `false` is how STU3 said no


def _in_force(resource: Resource, today: date) -> bool:
    period = resource.get("period")
    start, end = (period.get("start"), period.get("end")) if isinstance(period, Mapping) else (0, 0)
    begun = not isinstance(start, str) or start[:10] <= today.isoformat()[: len(start)]
    lasts = not isinstance(end, str) or end[:10] >= today.isoformat()[: len(end)]
    return resource.get("status") == "active" and begun and lasts


def _since(resource: Resource, today: date) -> timedelta:
    """How long ago an Observation was true; without a day it is taken for today's."""
    period = resource.get("effectivePeriod")
    start = period.get("start") if isinstance(period, Mapping) else None
    for said in (resource.get("effectiveDateTime"), start):
        try:
            return today - date.fromisoformat(str(said)[:10])
        except ValueError:
            continue
    return timedelta()
