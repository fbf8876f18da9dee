"""The protocols of a folder once they are known to be sound."""

from dataclasses import dataclass

from domain.language.errors import Malformed
from domain.language.protocol import CombinedProtocol, Protocol, Status
from domain.language.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class ProtocolBook:
    """Every phase and pathway in every version, and the vocabulary that they use."""

    vocabulary: Vocabulary
    phases: tuple[Protocol, ...]
    pathways: tuple[CombinedProtocol, ...]

    def all(self) -> tuple[CombinedProtocol, ...]:
        """List the pathways in the order of id and version."""
        return self.pathways

    def approved(self) -> tuple[CombinedProtocol, ...]:
        """List the pathways that may be started."""
        return tuple(found for found in self.pathways if found.status is Status.APPROVED)

    def combined(self, pathway: str, version: int | None = None) -> CombinedProtocol:
        """Find a pathway: in that version, or in its newest approved one, or else its newest.

        Raises Malformed if there is none. Whether it may be started its `status` says.
        """
        known = [found for found in self.pathways if found.id == pathway]
        if version is not None:
            known = [found for found in known if found.version == version]
        if not known:
            asked = pathway if version is None else f"{pathway} version {version}"
            there = ", ".join(f"{found.id} version {found.version}" for found in self.pathways)
            message = f"there is no pathway {asked}; there are: {there}"
            raise Malformed(message)
        return max(known, key=lambda found: (found.status is Status.APPROVED, found.version))
