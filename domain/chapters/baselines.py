"""Baselines: a prescriber names the score against which benefit is judged, and says why."""

from domain.language.baselines import BaselineFact, BaselineNamed, BaselineWish
from domain.language.errors import Conflict, Malformed
from domain.language.pathway import Pathway
from domain.language.protocol import Anchor, CombinedProtocol
from domain.rules.refusing import insist_reason


def check_meant(protocol: CombinedProtocol, pathway: Pathway, wish: BaselineWish) -> None:
    """Raise Malformed unless the phase was entered and the score is one whose fall is judged."""
    insist_reason(wish.reason)
    if wish.phase not in pathway.phases:
        entered = ", ".join(sorted(pathway.phases))
        raise Malformed(f"that phase was not entered; entered are {entered}", unknown="phase")
    judged = sorted(protocol.vocabulary.judged())
    if wish.score not in judged:
        raise Malformed(f"no fall of that is judged; known are {', '.join(judged)}")


def decide(
    protocol: CombinedProtocol, pathway: Pathway, wish: BaselineWish
) -> tuple[BaselineFact, ...]:
    """Say which score it is. Conflict before the first treatment: until then it is the last one."""
    rule = protocol.phase(wish.phase).benefit.get(wish.score)
    treated = [phase.id for phase in protocol.phases if pathway.sessions_in(phase.id)]
    if rule is not None and rule.anchor is Anchor.PATHWAY and treated and treated[0] != wish.phase:
        message = f"a fall in {wish.phase} is judged against the baseline of {treated[0]}"
        raise Conflict(f"{message}: name that one")
    given = pathway.sessions_in(wish.phase)
    if not given:
        raise Conflict(f"nothing was given in {wish.phase} yet: the last score before it counts")
    known = {found.evidence: found for found in pathway.readings.get(wish.score, ())}
    if wish.event not in known:
        raise Malformed("no such score is recorded on this pathway; its timeline lists them")
    if known[wish.event].at > given[0].started:
        raise Malformed("a baseline is from before the first treatment; this score came after it")
    reason = wish.reason.strip()
    before = pathway.baselines.get(f"{wish.phase}/{wish.score}")
    number = 1 if before is None else before.times + 1
    since = given[0].started
    return (BaselineNamed(wish.phase, wish.score, wish.event, since, reason, number),)
