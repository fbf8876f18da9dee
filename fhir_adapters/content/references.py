"""References between our own artefacts: written as `urn:kairos:artefact:…`, sent as `Type/id`.

An artefact gets its EHR id only when it is delivered, so references wait until then. Must never
let an unresolved one leave: an EHR would store a link that leads nowhere.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.delivery.words import ARTEFACT
from domain.language.errors import Malformed


def refer(artefact: str) -> dict[str, Any]:
    """Refer to another artefact of ours."""
    return {"reference": ARTEFACT + artefact}


def artefacts_in(value: Any) -> tuple[str, ...]:
    """List the artefacts that a body refers to, each once, in their order."""
    return tuple(dict.fromkeys(_walk(value)))


def resolve(value: Any, known: Mapping[str, str]) -> Any:
    """Return a copy with each reference replaced; `known` maps artefact ids to `Type/id`.

    Raises Malformed naming the first artefact that is not known.
    """
    if isinstance(value, Mapping):
        return {
            key: _place(inner, known) if key == "reference" else resolve(inner, known)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [resolve(inner, known) for inner in value]
    return value


def _place(reference: Any, known: Mapping[str, str]) -> Any:
    if not isinstance(reference, str) or not reference.startswith(ARTEFACT):
        return reference
    artefact = reference.removeprefix(ARTEFACT)
    if artefact not in known:
        raise Malformed(f"{artefact} is not in the EHR yet, so nothing can refer to it there")
    return known[artefact]


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "reference" and isinstance(inner, str) and inner.startswith(ARTEFACT):
                yield inner.removeprefix(ARTEFACT)
            else:
                yield from _walk(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _walk(inner)
