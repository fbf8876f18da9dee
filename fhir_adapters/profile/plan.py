"""The capability planner: how each artefact is written to one EHR. Pure; sends nothing.

It never plans an interaction that the EHR does not advertise, and nothing that could not be read
back. Where an EHR cannot hold an artefact the ladder below says what is written in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.capability import Support, supports_of
from fhir_adapters.profile.vendor import Vendor


@dataclass(frozen=True, slots=True)
class Native:
    """Written as its own resource type."""

    resource_type: str
    conditional_create: bool
    update: bool
    search_by_identifier: bool


@dataclass(frozen=True, slots=True)
class Fallback:
    """Written as another type, which says the same in words; changes become further entries."""

    to: Native
    why: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Kept by Kairos alone, in its own store and timeline; nobody types it into the EHR."""

    why: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person enters it in the EHR by hand."""

    why: str


Way = Native | Fallback | Kept | Person


_RANK = {Native: 0, Fallback: 1, Kept: 2, Person: 2}


class Last(StrEnum):
    """What is left when the EHR takes none of an artefact's types."""

    PERSON = "person"
    KEPT = "kept"


TEXT = ("DocumentReference", "Communication")
"""Types that say in words what the EHR cannot hold; the richer first."""

LADDERS: Mapping[ArtefactKind, tuple[tuple[str, ...], Last]] = {
    ArtefactKind.EPISODE: (("EpisodeOfCare",), Last.KEPT),
    ArtefactKind.CARE_PLAN: (("CarePlan", *TEXT), Last.KEPT),
    ArtefactKind.MEDICATION_ORDER: (("MedicationRequest",), Last.PERSON),
    ArtefactKind.COURSE_ORDER: (("ServiceRequest",), Last.PERSON),
    ArtefactKind.APPOINTMENT: (("Appointment", "Communication"), Last.PERSON),
    ArtefactKind.ADMINISTRATION: (("MedicationAdministration", "Procedure", *TEXT), Last.PERSON),
    ArtefactKind.STIMULATION: (("Procedure", *TEXT), Last.PERSON),
    ArtefactKind.BLOOD_PRESSURE: (("Observation", "Communication"), Last.PERSON),
    ArtefactKind.VITAL_SIGN: (("Observation", "Communication"), Last.PERSON),
    ArtefactKind.FINDING: (("Observation", *TEXT), Last.PERSON),
    ArtefactKind.SCALE: (("Observation", "QuestionnaireResponse", *TEXT), Last.PERSON),
    ArtefactKind.TASK: (("Task", "Communication"), Last.KEPT),
    ArtefactKind.HOLD: (("Flag", "Communication"), Last.PERSON),
    ArtefactKind.OVERRIDE: (("Provenance", *TEXT), Last.PERSON),
    ArtefactKind.DECISION: (("Provenance", *TEXT), Last.PERSON),
    ArtefactKind.PROVENANCE: (("Provenance",), Last.KEPT),
}
"""For each artefact its own type, then what stands in for it, best first, and what is left.

Nothing stands in for an order: a text that tells of one asks nobody to enter it.
"""

NATIVE_TYPE: Mapping[ArtefactKind, str] = {kind: types[0] for kind, (types, _) in LADDERS.items()}


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One line of "what would be written to this EHR, and how"."""

    kind: ArtefactKind
    way: str  # native, fallback, kept or person
    resource_type: str | None
    why: str
    updates: str
    once_by: str  # what makes a lost answer harmless


@dataclass(frozen=True, slots=True)
class EhrPlan:
    """How each artefact is written to one EHR, and what each type there can do."""

    ways: Mapping[ArtefactKind, Way]
    supports: Mapping[str, Support]
    vendor: Vendor

    def support(self, resource_type: str) -> Support:
        """Say what is advertised for a type and to be trusted; nothing for one that is not."""
        return self.supports.get(resource_type) or Support(resource_type)

    def target(self, kind: ArtefactKind) -> str | None:
        """Name the type that an artefact becomes in this EHR; None if it is not written there."""
        match self.ways[kind]:
            case Native(resource_type=name) | Fallback(to=Native(resource_type=name)):
                return name
        return None

    def rewrites(self, resource_type: str) -> frozenset[str]:
        """List the elements that this EHR is known to replace by its own."""
        return self.vendor.rewrites.get(resource_type, frozenset())

    def less_than(self, before: "EhrPlan") -> tuple[str, ...]:
        """List what was written to this EHR under an earlier plan and is written worse now."""
        worse = []
        for kind in ArtefactKind:
            was, now = before.ways[kind], self.ways[kind]
            target = before.target(kind)
            if _RANK[type(now)] > _RANK[type(was)]:
                worse.append(str(kind))
            elif isinstance(was, Native) and isinstance(now, Native) and was.update > now.update:
                worse.append(f"changes of {kind}")
            elif target and before.support(target).search - self.support(target).search:
                worse.append(f"searches for {target}")
        return tuple(dict.fromkeys(worse))

    def describe(self) -> tuple[PlanRow, ...]:
        """Say what would be written to this EHR, and how."""
        return tuple(self._row(kind, self.ways[kind]) for kind in ArtefactKind)

    def _row(self, kind: ArtefactKind, way: Way) -> PlanRow:
        match way:
            case Native():
                updates = "in place" if way.update else "by hand: the EHR advertises no updates"
                return PlanRow(kind, "native", way.resource_type, "", updates, self._once_by(way))
            case Fallback(to=to, why=why):
                once = self._once_by(to)
                updates = "as new entries"
                return PlanRow(kind, "fallback", to.resource_type, why, updates, once)
            case Kept(why=why):
                return PlanRow(kind, "kept", None, why, "in Kairos", "")
            case Person(why=why):
                return PlanRow(kind, "person", None, why, "by hand", "")

    def _once_by(self, way: Native) -> str:
        if way.conditional_create:
            return "conditional create"
        if way.search_by_identifier:
            return "search by identifier"
        search = self.support(way.resource_type).search
        if "target" in search or search & {"patient", "subject"}:
            return "search by content"
        return "a person checks, if a response is lost"


def plan_for(statement: Mapping[str, Any], vendor: Vendor) -> EhrPlan:
    """Plan from a live CapabilityStatement and what is known of the vendor beyond it.

    Raises Malformed for what is not an R4 CapabilityStatement.
    """
    supports = {name: vendor.trust(said) for name, said in supports_of(statement).items()}
    ways = {kind: _way(kind, supports, vendor) for kind in ArtefactKind}
    return EhrPlan(ways, supports, vendor)


def _way(kind: ArtefactKind, supports: Mapping[str, Support], vendor: Vendor) -> Way:
    types, last = LADDERS[kind]
    passed_over: list[str] = []
    for name in types:
        reason = vendor.not_taken.get((kind, name)) or _cannot(name, supports.get(name))
        if reason is None:
            native = _native(supports[name])
            return Fallback(native, "; ".join(passed_over)) if passed_over else native
        passed_over.append(reason)
    why = "; ".join(passed_over)
    return Kept(why) if last is Last.KEPT else Person(why)


def _cannot(name: str, said: Support | None) -> str | None:
    if said is None:
        return f"{name} is not listed"
    if not said.create:
        return f"{name} cannot be created"
    return None if said.read else f"{name} cannot be read back"


def _native(said: Support) -> Native:
    return Native(
        resource_type=said.resource_type,
        conditional_create=said.creates_once,
        update=said.update,
        search_by_identifier=said.finds_identifier,
    )
