"""One EHR as one thing: its connection, its vendor, how we talk to it, and what it would take.

The one place in which an EHR is made, for the API and for the worker alike. Must not read a
setting or remember a statement: both are handed in.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, Self

from domain.delivery.outcomes import SETTLING
from domain.language.errors import Unavailable
from fhir_adapters.exchange.authorization import NO_AUTHORIZATION, Authorization
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.exchange.trust import NO_TRUST_OF_ITS_OWN, Trust
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import EhrPlan, plan_for
from fhir_adapters.profile.vendor import Vendor
from fhir_adapters.profile.vendors import VENDORS


class Connection(Protocol):
    """What the installation file says of an EHR."""

    @property
    def id(self) -> str:
        """The connection's id."""
        ...

    @property
    def base_url(self) -> str:
        """The base URL of its FHIR API."""
        ...

    @property
    def other_base_urls(self) -> tuple[str, ...]:
        """Other base URLs that it calls itself by."""
        ...

    @property
    def vendor(self) -> str:
        """One of `VENDORS`."""
        ...

    @property
    def write_settles_seconds(self) -> int:
        """How long a write whose answer was lost may be on its way."""
        ...

    @property
    def search_lag_seconds(self) -> float | None:
        """How long its searches take to show what was written; None: it is learned."""
        ...

    @property
    def changes_unversioned(self) -> bool:
        """Whether what it gives no version for is changed by Kairos all the same."""
        ...

    @property
    def authorities_file(self) -> Path | None:
        """Authorities of its certificate, if not the system's."""
        ...

    @property
    def certificate_file(self) -> Path | None:
        """The certificate shown to it, if one is."""
        ...

    @property
    def certificate_key_file(self) -> Path | None:
        """The key of that, if it is in another file."""
        ...


class Ehr:
    """One EHR. Its client connects when it is first used."""

    def __init__(
        self,
        connection_id: str,
        base_url: str,
        vendor: Vendor,
        authorization: Authorization = NO_AUTHORIZATION,
        trust: Trust = NO_TRUST_OF_ITS_OWN,
        other_bases: tuple[str, ...] = (),
        settling: timedelta = SETTLING,
        search_lag: timedelta | None = None,
        *,
        changes_unversioned: bool = False,
    ) -> None:
        self.connection_id = connection_id
        self.vendor = vendor
        self.settling = settling
        self.search_lag = search_lag
        self.client = EhrClient(
            base_url,
            vendor,
            other_bases=other_bases,
            authorization=authorization,
            trust=trust,
            changes_unversioned=changes_unversioned,
        )

    async def statement(self) -> dict[str, Any]:
        """Read its CapabilityStatement, and be sure that it can be planned from.

        Raises NeverSent, NoAnswer, Busy or EhrRefused; Malformed for what is no R4 statement.
        """
        said = await self.client.capability()
        self.plan(said)
        return said

    def plan(self, statement: Mapping[str, Any]) -> EhrPlan:
        """Plan from its CapabilityStatement and what is known of its vendor. Raises Malformed."""
        return plan_for(statement, self.vendor)


def _trust(connection: Connection) -> Trust:
    files = (connection.authorities_file, connection.certificate_file)
    return Trust(*files, connection.certificate_key_file)


def _seconds(some: float | None) -> timedelta | None:
    return None if some is None else timedelta(seconds=some)


class Ehrs:
    """The EHRs of an installation, by connection id."""

    def __init__(self, ehrs: Iterable[Ehr]) -> None:
        self._by_id = {ehr.connection_id: ehr for ehr in ehrs}

    @classmethod
    def of(cls, connections: Iterable[Connection]) -> Self:
        """Make the EHRs that the installation file names."""
        return cls(
            Ehr(
                each.id,
                each.base_url,
                VENDORS[each.vendor],
                trust=_trust(each),
                other_bases=each.other_base_urls,
                settling=timedelta(seconds=each.write_settles_seconds),
                search_lag=_seconds(each.search_lag_seconds),
                changes_unversioned=each.changes_unversioned,
            )
            for each in connections
        )

    def __getitem__(self, connection_id: str) -> Ehr:
        """Find an EHR. Unavailable if the installation file names no such connection."""
        ehr = self._by_id.get(connection_id)
        if ehr is None:
            raise Unavailable(f"the installation file names no connection {connection_id}")
        return ehr

    def ids(self) -> tuple[str, ...]:
        return tuple(self._by_id)

    def plan(self, connection_id: str, statement: Mapping[str, Any]) -> EhrPlan:
        """Plan for a connection, from its CapabilityStatement. Raises Malformed.

        A pathway may be on a connection that the installation file does not name any more. It goes
        on, as if the vendor were not known, and what it would write waits in the ledger.
        """
        ehr = self._by_id.get(connection_id)
        return ehr.plan(statement) if ehr else plan_for(statement, GENERIC)

    async def close(self) -> None:
        for ehr in self._by_id.values():
            await ehr.client.close()
