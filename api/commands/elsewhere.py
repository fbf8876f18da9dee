"""Whether what was entered for the wrong patient can be recorded where it belongs.

Asked before anything is kept, so that nothing is taken back here which cannot stand there.
"""

from datetime import datetime

from api.commands.request import CommandRequest
from api.edge.problems import Problem
from api.reading.lookup import find_pathway
from domain.decide import decide
from domain.language.commands import Command, Wish
from domain.language.corrections import CorrectEntry
from domain.language.errors import Refused
from domain.turn import onward
from store import pathways
from store.database import Transaction
from store.records import PathwayRecord


async def insist_fits_there(
    tx: Transaction,
    request: CommandRequest,
    row: PathwayRecord,
    command: Command,
    now: datetime,
) -> None:
    """Raise unless the other half could be recorded now; nothing to ask of any other wish."""
    wish: Wish = command.wish
    if not isinstance(wish, CorrectEntry) or wish.wrong_patient is None:
        return
    there = wish.wrong_patient.pathway
    if there is None:
        return
    try:
        other = await find_pathway(tx, request.caller, there)
    except Problem:
        detail = "there is no such pathway at your sites; leave it out if the patient has none here"
        raise Problem("malformed", detail) from None
    protocol, _ = await request.deps.see(tx, row)
    onwards = onward(protocol, command, await pathways.history(tx, row.id))
    if onwards is None:  # no such entry here: its own refusal says so
        return
    theirs, pathway = await request.deps.see(tx, other)
    try:
        decide(theirs, pathway, onwards[1], now)
    except Refused as refused:
        message = f"it could not be recorded for the other patient: {refused.message}"
        raise Refused(message, refused.blocked_by) from None
