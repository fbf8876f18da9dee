"""Protocols pinned to pathways: each stands once, under the sha256 of what it says."""

import json
from collections import OrderedDict
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from domain.language.protocol import CombinedProtocol
from store import columns
from store.database import Transaction
from store.tables import ProtocolRow


async def keep(tx: Transaction, protocol: CombinedProtocol) -> str:
    """Keep a protocol, vocabulary and all, if it is not there yet; the name it stands under."""
    body = columns.protocol_to_json(protocol)
    name = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    added = insert(ProtocolRow).values(sha256=name, body=body)
    await tx.execute(added.on_conflict_do_nothing(index_elements=["sha256"]))
    return name


class PinnedProtocols:
    """The protocols that pathways have pinned, read and decoded once each: they never change."""

    def __init__(self, most: int = 50) -> None:
        self._known: OrderedDict[str, CombinedProtocol] = OrderedDict()
        self._most = most

    async def of(self, tx: Transaction, name: str) -> CombinedProtocol:
        """Read a protocol that some pathway has pinned, by the name it stands under."""
        if name not in self._known:
            wanted = select(ProtocolRow.body).where(ProtocolRow.sha256 == name)
            stored = (await tx.execute(wanted)).scalar_one()
            self._known[name] = columns.protocol_from_json(stored)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return self._known[name]
