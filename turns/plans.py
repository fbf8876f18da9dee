"""What each EHR takes, as of what it said of itself last: planned from when asked."""

import time
from datetime import datetime

from domain.language.errors import Unavailable
from fhir_adapters.ehr import Ehrs
from fhir_adapters.profile.plan import EhrPlan
from store import capabilities
from store.database import Transaction

LOOKED_AT_FOR = 1.0
"""Seconds for which a plan is taken to be the newest: not each write looks for a newer one."""


class Plans:
    """Plans by connection, made again within a second of a newer statement being read."""

    def __init__(self, ehrs: Ehrs) -> None:
        self._ehrs = ehrs
        self._known: dict[str, tuple[datetime, EhrPlan]] = {}
        self._looked: dict[str, float] = {}

    async def of(self, tx: Transaction, connection_id: str) -> EhrPlan:
        """The plan for a connection; Unavailable until its statement was read once."""
        now = time.monotonic()
        if now - self._looked.get(connection_id, -LOOKED_AT_FOR) < LOOKED_AT_FOR:
            return self._known[connection_id][1]
        found = await self._newest(tx, connection_id)
        self._looked[connection_id] = now
        return found

    async def _newest(self, tx: Transaction, connection_id: str) -> EhrPlan:
        stamp = await capabilities.read_at(tx, connection_id)
        if stamp is None:
            raise Unavailable(f"the capabilities of {connection_id} are not known yet")
        known = self._known.get(connection_id)
        if known is None or known[0] != stamp:
            row = await capabilities.find(tx, connection_id)
            if row is None:
                raise Unavailable(f"the capabilities of {connection_id} are not known yet")
            known = (row.read_at, self._ehrs.plan(connection_id, row.statement))
            self._known[connection_id] = known
        return known[1]
