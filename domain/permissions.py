"""Which roles may do what that is no wish on a pathway, and which may have a wish somewhere.

Asked at the door and again where it is decided. Whether this person may have this wish on this
pathway is then its chapter's to say.
"""

from collections.abc import Iterable

from domain.language.commands import Wish
from domain.language.names import CARE, Role, Roles
from domain.language.phases import SignOrder
from domain.language.protocol import CombinedProtocol

MAY_START: Roles = (Role.CARE_MANAGER, Role.PRESCRIBER)
MAY_READ: Roles = (*CARE, Role.MEDICAL_DIRECTOR, Role.OPERATIONS, Role.AUDITOR)
MAY_READ_WRITES: Roles = (*MAY_READ, Role.INTEGRATOR)
"""Writes to EHRs and how they went, without what they say; connections; a command's outcome."""

MAY_SEE_RESOURCES: Roles = (*CARE, Role.OPERATIONS, Role.INTEGRATOR)
"""What a write says, and what the EHR wrote when it refused it."""

MAY_PROBE: Roles = (Role.OPERATIONS, Role.INTEGRATOR)
MAY_MOVE_CLOCK: Roles = (Role.OPERATIONS,)


def roles_for(wish: type[Wish], protocols: Iterable[CombinedProtocol]) -> Roles:
    """List who may have such a wish on some pathway of these protocols."""
    if wish is not SignOrder:
        return wish.MAY
    phases = [phase for protocol in protocols for phase in protocol.phases]
    return tuple(r for r in SignOrder.MAY if any(r in phase.ordered_by for phase in phases))
