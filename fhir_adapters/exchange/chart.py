"""Reading a patient's chart: what stands there of what a vocabulary asks, and nothing more.

Only which answer follows and where it stands leaves this module. An entry of another patient, or
one that cannot be read, is not taken for anybody's; its type then counts as not read.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from domain.language.chart import ChartEntry, ChartReading, ChartSign, ChartType
from domain.language.errors import Malformed, Unavailable
from fhir_adapters.content.chart_entries import entries_of, is_readable
from fhir_adapters.exchange.client import EhrResource
from fhir_adapters.exchange.compare import referred
from fhir_adapters.exchange.failures import EhrRefused
from fhir_adapters.exchange.headers import is_id
from fhir_adapters.exchange.paging import MOST_PAGES, SearchResult

PATIENT_IN = {ChartType.ALLERGY: "patient", ChartType.COVERAGE: "beneficiary"}
"""The element that says whose it is, where it is not `subject`."""

INTENTS = ("order", "plan")
"""What somebody ordered, and what the patient takes by their own account."""

LONGEST = 10.0
"""Seconds that one type may take: whoever stands at the desk waits for it."""

_FAILURES = (EhrRefused, Unavailable, Malformed, TimeoutError)


class ReadOnly(Protocol):
    """What is asked of an EHR's client: reading only."""

    @property
    def bases(self) -> tuple[str, ...]:
        """The base URLs under which it is known."""
        ...

    async def read(self, resource_type: str, ehr_id: str) -> EhrResource:
        """Read a resource. Raises EhrRefused, Unavailable or Malformed."""
        ...

    async def search(
        self, resource_type: str, params: Sequence[tuple[str, str]], *, pages: int = 1
    ) -> SearchResult:
        """Search for resources. Raises EhrRefused or Unavailable."""
        ...


async def read_chart(
    client: ReadOnly, patient: str, signs: Sequence[ChartSign], today: date
) -> ChartReading:
    """Read each type that a sign names; a type that cannot be read whole is named as unread."""
    types = tuple(dict.fromkeys(sign.type for sign in signs))
    found = await asyncio.gather(*(_read(client, patient, each, signs, today) for each in types))
    entries = {entry.key: entry for entries, _ in found for entry in entries}
    unread = tuple(each for each, (_, whole) in zip(types, found, strict=True) if not whole)
    return ChartReading(tuple(entries.values()), unread)


async def _read(
    client: ReadOnly, patient: str, kind: ChartType, signs: Sequence[ChartSign], today: date
) -> tuple[tuple[ChartEntry, ...], bool]:
    """What one type answers, and whether all of it could be read."""
    asked = tuple(sign for sign in signs if sign.type is kind)
    there: list[dict[str, Any]] = []
    whole = True
    for query in _queries(kind, patient, asked):
        try:
            async with asyncio.timeout(LONGEST):
                found = await client.search(kind, query, pages=MOST_PAGES)
        except _FAILURES:
            whole = False
            continue
        there.extend(found.resources)
        whole = whole and found.complete and all(i.severity == "information" for i in found.issues)
        whole = whole and (found.total is None or found.total <= len(found.resources))
    theirs = [
        each
        for each in there
        if _is_theirs(client, kind, each, patient) and is_readable(kind, each)
    ]
    drugs, all_drugs = await _drugs(client, kind, theirs)
    whole = whole and all_drugs and len(theirs) == len(there)
    return entries_of(kind, theirs, asked, today, drugs), whole


def _queries(
    kind: ChartType, patient: str, asked: Sequence[ChartSign]
) -> Iterator[list[tuple[str, str]]]:
    """Ask as US Core 6.1.0 has every EHR answer: drugs by intent, Observations by code."""
    theirs = ("patient", patient)
    if kind is ChartType.MEDICATION:
        yield from ([theirs, ("intent", intent)] for intent in INTENTS)
    elif kind is ChartType.OBSERVATION:
        codes = dict.fromkeys(f"{sign.system}|{code}" for sign in asked for code in sign.codes)
        yield [theirs, ("code", ",".join(codes))]
    else:
        yield [theirs]


def _is_theirs(
    client: ReadOnly, kind: ChartType, resource: Mapping[str, Any], patient: str
) -> bool:
    """An EHR that does not know a parameter answers with everybody's."""
    reference = resource.get(PATIENT_IN.get(kind, "subject"))
    place = reference.get("reference") if isinstance(reference, Mapping) else None
    mine = isinstance(place, str) and referred(place, client.bases) == f"Patient/{patient}"
    return mine and is_id(str(resource.get("id")))


async def _drugs(
    client: ReadOnly, kind: ChartType, resources: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Mapping[str, Any]], bool]:
    """The Medications that requests refer to, by reference, and whether all could be read."""
    if kind is not ChartType.MEDICATION:
        return {}, True
    known: dict[str, Mapping[str, Any]] = {}
    whole = True
    for each in resources:
        said = each.get("medicationReference")
        place = said.get("reference") if isinstance(said, Mapping) else None
        if not isinstance(place, str) or place.startswith("#") or place in known:
            continue
        of_type, _, ehr_id = referred(place, client.bases).partition("/")
        if of_type != "Medication" or not is_id(ehr_id):
            whole = False
            continue
        try:
            async with asyncio.timeout(LONGEST):
                found = (await client.read("Medication", ehr_id)).resource
        except _FAILURES:
            whole = False
            continue
        if is_readable(kind, found):
            known[place] = found
        else:
            whole = False
    return known, whole
