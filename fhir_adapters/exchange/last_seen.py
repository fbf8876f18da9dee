"""What Kairos last saw of an artefact in an EHR, made from the writes of it that stand there."""

import re
from collections.abc import Sequence
from typing import Any

from domain.delivery.words import Delivery, LastSeen


def last_seen(before: Sequence[Delivery]) -> LastSeen:
    """Put together what earlier deliveries of one artefact left in the EHR, in their order.

    An element at which the EHR was seen to differ is not what was meant, so it is left out.
    """
    version: str | None = None
    elements: dict[str, Any] = {}
    for each in before:
        differ = {_element(path) for path in each.differences}
        elements |= {key: value for key, value in each.body.items() if key not in differ}
        version = None if differ else each.ehr_version
    return LastSeen(version, elements)


def _element(path: str) -> str:
    """The top-level element of a path; `_status` says something of `status`."""
    return re.split(r"[.\[]", path.removeprefix("_"))[0]
