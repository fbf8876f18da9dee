"""Who may start a pathway and who may look at one. Who may have a wish stands with the wish."""

from domain.language.names import CARE, Role, Roles

MAY_START: Roles = (Role.CARE_MANAGER, Role.PRESCRIBER)
MAY_READ: Roles = (*CARE, Role.OPERATIONS, Role.AUDITOR)
