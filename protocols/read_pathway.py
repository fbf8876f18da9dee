"""Reads how phases join: their order, the days between them and what is never done on one day.

Policies that Kairos cannot honour yet are keys with one supported value: written down, so that a
clinician sees them, and any other value is refused rather than ignored.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from domain.language.names import Treatment
from domain.language.protocol import CombinedProtocol, Protocol, Status
from protocols.quantities import NotUnderstood, parse_days
from protocols.read_names import read_head
from protocols.read_vocabulary import Words
from protocols.reading import Section

Pinned = tuple[str, int]
_PHASE = re.compile(r"(\S+) version ([1-9][0-9]{0,5})")
_SAME_DAY = {"never": False, "allowed": True}


def read_pathway(
    top: Section,
    phases: Mapping[Pinned, Protocol],
    words: Words,
    hashes: tuple[str, str],
    *,
    complete: bool,
) -> CombinedProtocol:
    """Read a whole file whose first key is `pathway`. `hashes` are of it and the vocabulary.

    `complete` is False if some file could not be read at all, so that a phase which is not among
    `phases` may be in that one.
    """
    head = read_head(top, "pathway")
    pinned = [top.understand("phases", word, _pinned, ("", 0)) for word in top.words("phases")]
    found = [phases[pin] for pin in pinned if pin in phases]
    for pin in pinned if complete and top.sound("phases") else ():
        if pin not in phases:
            top.wrong("phases", f"no file has the protocol {pin[0]} version {pin[1]}")
    if len({name for name, _ in pinned}) < len(pinned):
        top.wrong("phases", "a phase is listed twice; each may be in a pathway only once")
    if top.sound("status") and head.status is Status.APPROVED:
        for phase in found:
            if phase.status is not Status.APPROVED:
                top.wrong(
                    "phases",
                    f"{phase.id} version {phase.version} is {phase.status}: "
                    "an approved pathway has approved phases only",
                )
    _same_words(top, head.status, words)
    same_day = top.read("same_day", _same_day, stand_in=False)
    between = _between(top, [name for name, _ in pinned], same_day=same_day)
    top.only("next_phase", "prescriber decides", "no phase begins by itself")
    _during_dtms(top, found, complete=complete and len(found) == len(pinned))
    return CombinedProtocol(
        id=head.id,
        version=head.version,
        title=head.title,
        status=head.status,
        approved_by=head.approved_by,
        illustrative=head.illustrative,
        sources=head.sources,
        phases=tuple(found),
        days_between=between,
        same_day=same_day,
        vocabulary=words.vocabulary,
        sha256=rule_book_hash(hashes, found),
    )


def is_kept_only(top: Section, words: Words) -> bool:
    """Say whether a pathway is retired and of an older vocabulary than the one that is here."""
    asked = top.block.entries.get("vocabulary")
    if not top.says("status", Status.RETIRED) or asked is None or not words.head.version:
        return False
    found = _PHASE.fullmatch(str(getattr(asked.value, "text", "")))
    older = found is not None and int(found[2]) < words.head.version
    return older and found is not None and found[1] == words.head.id


def _same_words(top: Section, status: Status, words: Words) -> None:
    """Hold the vocabulary that a pathway names against the one that is here."""
    name, version = top.read("vocabulary", _pinned, ("", 0))
    here = words.head
    if not top.sound("vocabulary") or not here.version:
        return
    if (name, version) != (here.id, here.version):
        top.wrong(
            "vocabulary",
            f"the folder has {here.id} version {here.version}: retire this pathway, and put what"
            " goes with that vocabulary into a new file as its next version",
        )
    elif status is Status.APPROVED and here.status is not Status.APPROVED:
        message = f"{here.id} version {here.version} is {here.status}: an approved pathway"
        top.wrong("vocabulary", f"{message} has an approved vocabulary only")


def rule_book_hash(hashes: tuple[str, str], phases: Sequence[Protocol]) -> str:
    """Hash the pathway's file, the vocabulary and the phases' files: the whole rule book."""
    parts = [*hashes, *(phase.sha256 for phase in phases)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _between(top: Section, names: list[str], *, same_day: bool) -> tuple[int, ...]:
    if len(names) < 2 and not top.has("between"):  # noqa: PLR2004  one phase joins nothing
        return ()
    section = top.section("between")
    pairs = [f"{before} to {after}" for before, after in pairwise(names)]
    if not top.sound("phases"):  # the pairs would be told wrongly
        for key in section.block.entries:
            section.read(key, _at_least, 1)
        return ()
    days = tuple(section.read(pair, _at_least, 1) for pair in pairs)
    for pair, count in zip(pairs, days, strict=True):
        if section.sound(pair) and top.sound("same_day") and count == 0 and not same_day:
            section.wrong(pair, "0 days would put both on one day, which same_day: never forbids")
    return days


def _during_dtms(top: Section, phases: list[Protocol], *, complete: bool) -> None:
    both = {phase.treatment for phase in phases} == set(Treatment)
    if both or (not complete and top.has("esketamine_during_dtms")):
        top.only("esketamine_during_dtms", "pause", "Kairos cannot run two phases at the same time")
    elif complete:
        top.absent("esketamine_during_dtms", "this pathway does not have both treatments")


def _pinned(text: str) -> Pinned:
    found = _PHASE.fullmatch(text)
    if found is None:
        message = f'"{text}" must name a protocol and its version: "maintenance version 1"'
        raise NotUnderstood(message)
    return found[1], int(found[2])


def _at_least(text: str) -> int:
    if not text.startswith("at least "):
        message = f'"{text}" must say the fewest days: "at least 2 days"'
        raise NotUnderstood(message)
    return parse_days(text.removeprefix("at least "), least=0)


def _same_day(text: str) -> bool:
    if text not in _SAME_DAY:
        message = f'"{text}" is not one of: {", ".join(_SAME_DAY)}'
        raise NotUnderstood(message)
    return _SAME_DAY[text]
