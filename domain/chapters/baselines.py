"""Baselines: a prescriber names the score against which benefit is judged, and says why."""

from domain.language.baselines import BaselineFact, BaselineNamed, BaselineWish
from domain.language.errors import Conflict, Malformed
from domain.language.names import spoken
from domain.language.pathway import Pathway
from domain.language.protocol import Anchor, CombinedProtocol
from domain.rules.refusing import insist_reason


def check_meant(protocol: CombinedProtocol, pathway: Pathway, wish: BaselineWish) -> None:
    """Raise Malformed unless the phase was entered and the score is one whose fall is judged."""
    insist_reason(wish.reason)
    if wish.phase not in pathway.phases:
        entered = ", ".join(sorted(pathway.phases))
        raise Malformed(f"that phase was not entered; so far only {entered}", unknown="phase")
    judged = sorted(protocol.vocabulary.judged())
    if wish.score not in judged:
        raise Malformed(f"score must be one whose reduction is judged: {', '.join(judged)}")


def decide(
    protocol: CombinedProtocol, pathway: Pathway, wish: BaselineWish
) -> tuple[BaselineFact, ...]:
    """Say which score it is. Conflict before the first treatment: until then it is the last one."""
    rule = protocol.phase(wish.phase).benefit.get(wish.score)
    treated = [phase.id for phase in protocol.phases if pathway.sessions_in(phase.id)]
    if rule is not None and rule.anchor is Anchor.PATHWAY and treated and treated[0] != wish.phase:
        of = spoken(treated[0])
        message = f"{spoken(wish.phase)} is judged against the baseline of {of}: name that one"
        raise Conflict(message)
    given = pathway.sessions_in(wish.phase)
    if not given:
        message = f"no treatment was given in {spoken(wish.phase)} yet"
        raise Conflict(f"{message}: the last score before treatment will be the baseline")
    known = {found.evidence: found for found in pathway.readings.get(wish.score, ())}
    if wish.event not in known:
        raise Malformed("no such score is recorded on this pathway; its timeline lists them")
    if known[wish.event].at > given[0].started:
        raise Malformed("a baseline must be from before the first treatment; this is a later score")
    reason = wish.reason.strip()
    before = pathway.baselines.get(f"{wish.phase}/{wish.score}")
    number = 1 if before is None else before.times + 1
    since = given[0].started
    return (BaselineNamed(wish.phase, wish.score, wish.event, since, reason, number),)
