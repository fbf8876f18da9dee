"""What every POST says before its body: who asks, as what, with which key."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Header, Request

from api.dependencies import Dependencies
from api.edge.access import May, acting_role, caller_of
from api.edge.problems import Problem
from api.edge.tokens import Caller
from domain.language.commands import Wish
from domain.language.names import Author, Role, Roles
from domain.permissions import roles_for
from protocols.book import ProtocolBook
from store import inbox

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="required; 1 to 255 visible ASCII characters; the same key only for a retry",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description='optional: the ETag of the pathway as you read it, such as `"12"`',
    ),
]
ActingRole = Annotated[
    str | None,
    Header(
        alias="Acting-Role",
        description="optional: the role that you act in, such as `prescriber`; without it, the"
        " first role in your token that may do this",
    ),
]


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """Who asks, in which role, and what tells this request from others."""

    deps: Dependencies
    caller: Caller
    role: Role
    key: str
    fingerprint: str
    expects: int | None

    @property
    def author(self) -> Author:
        """The author of what comes of it."""
        return Author(self.caller.subject, self.role)

    def received(
        self, command_id: str, pathway_id: str, site_id: str, kind: str, body: Mapping[str, Any]
    ) -> inbox.Received:
        """What the inbox is to hold of it."""
        return inbox.Received(
            id=command_id,
            pathway_id=pathway_id,
            site_id=site_id,
            kind=kind,
            author_id=self.caller.subject,
            idempotency_key=self.key,
            fingerprint=self.fingerprint,
            body=body,
        )


class MayAsk(May):
    """A dependency of every POST: the caller's acting role, the key and the precondition."""

    async def __call__(  # type: ignore[override]
        self,
        request: Request,
        key: Key = None,
        if_match: IfMatch = None,
        acting: ActingRole = None,
    ) -> CommandRequest:
        """Give what every command needs; 403 if no role may, 400 without a usable key."""
        caller = caller_of(request)
        deps: Dependencies = request.app.state.dependencies
        role = acting_role(caller, self.roles_now(deps.protocols), acting)
        state = request.scope["state"]
        return CommandRequest(
            deps, caller, role, _key(key), state["fingerprint"], _expects(if_match)
        )

    def roles_now(self, protocols: ProtocolBook) -> Roles:
        """List the roles that may, with the protocols that there are."""
        del protocols
        return self.roles


class MayWish(MayAsk):
    """Guards the route of a command with the roles that the domain lists for it."""

    def __init__(self, wish: type[Wish]) -> None:
        """Name the command's wish; `roles` are all that it can ever be for."""
        super().__init__(*wish.MAY)
        self._wish = wish

    def roles_now(self, protocols: ProtocolBook) -> Roles:
        """Ask the domain, which for orders asks the protocols."""
        return roles_for(self._wish, protocols.all())


def _key(key: str | None) -> str:
    if key is None or not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        detail = "send an Idempotency-Key of 1 to 255 visible ASCII characters"
        raise Problem("idempotency-key-missing", detail)
    return key


def _expects(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    found = re.fullmatch(r'"(\d{1,9})"', if_match.strip())
    if found is None:
        raise Problem("bad-precondition", 'If-Match must be the ETag of the pathway, such as "12"')
    return int(found[1])
