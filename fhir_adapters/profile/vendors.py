"""What is known of an EHR beyond its CapabilityStatement: vendor profiles as data.

A statement is an upper bound: some vendors advertise a type and refuse most uses of it, or list
a search parameter that does not find what was written. An overlay only ever takes away; it must
never promise what the statement does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.capability import Support


@dataclass(frozen=True, slots=True)
class Overlay:
    """What to take away from a statement, and what the vendor rewrites.

    `not_taken` gives the reason why an artefact cannot be written as a type although creating it
    is advertised. `identifier_lost` lists types whose identifier search may miss our own write.
    `rewrites` lists top-level elements that come back as the vendor's own.
    """

    name: str
    not_taken: Mapping[tuple[ArtefactKind, str], str] = field(default_factory=dict)
    identifier_lost: frozenset[str] = frozenset()
    rewrites: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def trust(self, said: Support) -> Support:
        """Take away the searches that are not to be relied on."""
        if said.resource_type not in self.identifier_lost:
            return said
        return replace(said, search=said.search - {"identifier"})


PLAIN = Overlay("plain")
"""A server that does what it says."""

_NO_ROW = "Epic files an Observation only into a flowsheet row that the site has mapped"
_ORACLE_OBSERVATION = "Oracle takes only vital signs and laboratory results as Observation"

EPIC = Overlay(
    "epic",
    not_taken={
        (ArtefactKind.SCALE, "Observation"): _NO_ROW,
        (ArtefactKind.FINDING, "Observation"): _NO_ROW,
    },
    identifier_lost=frozenset(
        {"Communication", "DocumentReference", "Observation", "QuestionnaireResponse"}
    ),
    rewrites={
        "DocumentReference": frozenset({"identifier", "author", "date", "content"}),
        "Observation": frozenset({"performer"}),
    },
)

ORACLE = Overlay(
    "oracle",
    not_taken={
        (ArtefactKind.SCALE, "Observation"): _ORACLE_OBSERVATION,
        (ArtefactKind.FINDING, "Observation"): _ORACLE_OBSERVATION,
        (ArtefactKind.APPOINTMENT, "Appointment"): (
            "Oracle books only a Slot of its own, or proposes for a coded service type"
        ),
    },
)

VENDORS: Mapping[str, Overlay] = {overlay.name: overlay for overlay in (PLAIN, EPIC, ORACLE)}
