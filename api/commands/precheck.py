"""Can a command be meant? Asked before it is kept, so that a slip is answered and not sent on.

Nothing that was sent is repeated in the answer: an id may have been typed into the wrong field.
"""

from datetime import datetime

from api.commands.catalogue import CATALOGUE
from api.edge.access import nothing_there
from domain.decide import precheck
from domain.language.commands import Wish
from domain.language.errors import Malformed
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol

IN_THE_ADDRESS = {entry.wish: entry.about for entry in CATALOGUE if entry.about}


def check_meant(protocol: CombinedProtocol, pathway: Pathway, wish: Wish, now: datetime) -> None:
    """Raise a problem unless a command can be meant: 404 for an address with nothing there."""
    try:
        precheck(protocol, pathway, wish, now)
    except Malformed as error:
        if error.unknown is not None and error.unknown == IN_THE_ADDRESS.get(type(wish)):
            raise nothing_there() from None
        raise
