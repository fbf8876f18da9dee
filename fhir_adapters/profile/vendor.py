"""What can be known of a vendor's EHR beyond its CapabilityStatement: the shape of a vendor's file.

A statement is an upper bound: some vendors advertise a type and refuse most uses of it, or list
a search parameter that does not find what was written. So a vendor's file only ever takes away
from a statement, and says what that vendor's own error codes mean; it must never promise what the
statement does not. What is not known of a vendor is left out, and there the standard holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.capability import Support
from fhir_adapters.profile.verdicts import Verdict


class Sure(StrEnum):
    """How sure it is that something is so."""

    READ = "the vendor's own documents"
    REPORTED = "reported by others"


@dataclass(frozen=True, slots=True)
class Known:
    """Something that whoever connects such an EHR should know, and that no code acts on."""

    says: str
    source: str
    sure: Sure


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor, under the word by which a installation file chooses it.

    `not_taken` gives the reason why an artefact cannot be written as a type although creating it
    is advertised. `identifier_lost` lists types whose identifier search may miss our own write.
    `rewrites` lists top-level elements that come back as the vendor's own.

    `codes` says what the vendor's own error codes mean, and `unlisted` what a numeric code means
    that is not among them and comes with a failure. `nothing_found` are the codes that, alone
    beside an empty search, leave it a proof that nothing is there. A vendor that publishes no
    codes has none of these three: then only FHIR's issue types and the HTTP status count, and
    whatever is said beside an empty search keeps it from being a proof.
    """

    name: str
    not_taken: Mapping[tuple[ArtefactKind, str], str] = field(default_factory=dict)
    identifier_lost: frozenset[str] = frozenset()
    rewrites: Mapping[str, frozenset[str]] = field(default_factory=dict)
    codes: Mapping[str, Verdict] = field(default_factory=dict)
    unlisted: Verdict | None = None
    nothing_found: frozenset[str] = frozenset()
    update_verb: Known | None = None
    id_place: Known | None = None
    throttle: Known | None = None

    def trust(self, said: Support) -> Support:
        """Take away the searches that are not to be relied on."""
        if said.resource_type not in self.identifier_lost:
            return said
        return replace(said, search=said.search - {"identifier"})
