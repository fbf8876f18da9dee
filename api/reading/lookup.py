"""Look one thing up for a caller. What another site has is not there, for every route alike."""

from api.edge.access import insist_visible, is_id
from api.edge.tokens import Caller
from domain.delivery.words import Delivery
from store import inbox, ledger, pathways
from store.database import Transaction
from store.records import CommandRecord, PathwayRecord


async def find_pathway(tx: Transaction, caller: Caller, pathway_id: str) -> PathwayRecord:
    """Find a pathway of the caller's sites, or raise the 404."""
    found = await pathways.find(tx, pathway_id) if is_id(pathway_id) else None
    return insist_visible(caller, found)


async def find_command(tx: Transaction, caller: Caller, command_id: str) -> CommandRecord:
    """Find a command on a pathway of the caller's sites, or raise the 404."""
    found = await inbox.find(tx, command_id) if is_id(command_id) else None
    return insist_visible(caller, found)


async def find_delivery(tx: Transaction, caller: Caller, delivery_id: int) -> Delivery:
    """Find a delivery of the caller's sites, or raise the 404."""
    return insist_visible(caller, await ledger.find(tx, delivery_id))
