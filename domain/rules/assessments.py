"""Which scores are asked for now: at the moments that a protocol names. Pure.

A moment that has come asks until a score is there; the next moment of the same rule takes its
place, and nothing is asked once the phase is over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from domain.language.pathway import Observed, Pathway
from domain.language.protocol import CombinedProtocol, Protocol
from domain.language.safety import AssessmentRule, At, Moment
from domain.rules import course, tiers
from domain.rules.calendar import visits_over
from domain.rules.steps import Ask, AskPerson


@dataclass(frozen=True, slots=True)
class Asked:
    """A moment at which a score is asked for, since when, and the score that answers it.

    `at` is None while it cannot be said when it will be.
    """

    rule: AssessmentRule
    moment: At
    name: str
    at: datetime | None
    score: Observed | None = None


def moments(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[Asked]:
    """List every moment of the present phase at which a score is asked for."""
    phase = protocol.phase(pathway.phase)
    for rule in phase.assessments:
        for moment in rule.at:
            at, name = _when(protocol, phase, pathway, moment)
            yield Asked(rule, moment, name, at, _answer(pathway, rule, at))


def to_finish(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[AskPerson]:
    """Ask for what a screener that was begun still asks: a question not asked is never a no."""
    for entry, names in tiers.begun(protocol.vocabulary, pathway.readings):
        kinds = [protocol.vocabulary.kind(name) for name in names]
        titles = ", ".join(kind.title for kind in kinds)
        says = f"A screener was begun and is not complete: ask and record {titles}."
        yield AskPerson(Ask.ASSESS, f"{entry}/screener", kinds[0].recorded_by, says, "screener")


def to_ask(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Iterator[AskPerson]:
    """Ask for the scores whose moment has come and that are not there."""
    for rule in protocol.phase(pathway.phase).assessments:
        come = [
            each
            for each in moments(protocol, pathway)
            if each.rule == rule and each.at is not None and _from(each) <= now
        ]
        last = max(come, key=lambda each: (each.at, each.name), default=None)
        if last is None or last.score is not None:
            continue
        kind = protocol.vocabulary.kind(rule.score)
        says = f"Record {kind.title} ({last.moment} of {protocol.phase(pathway.phase).title})."
        about = f"{pathway.phase}/{rule.id}/{last.name}"
        yield AskPerson(
            Ask.ASSESS, about, kind.recorded_by, says, rule.id, rule.why, rule.source, last.at
        )


def to_come(protocol: CombinedProtocol, pathway: Pathway) -> list[datetime]:
    """When scores are asked for; some of it past."""
    return [_from(each) for each in moments(protocol, pathway) if each.at is not None]


def says(protocol: CombinedProtocol, pathway: Pathway, asked: Asked) -> tuple[course.Judged, ...]:
    """What the protocol's rules say of the score that a moment brought: response, remission."""
    if asked.score is None:
        return ()
    phase = protocol.phase(pathway.phase)
    rules = (r for r in phase.course if course.scale_of(protocol, r) == asked.rule.score)
    return tuple(course.judge(protocol, pathway, phase, rule, asked.score) for rule in rules)


def _from(asked: Asked) -> datetime:
    """From when on it is asked: for a review, so early that the score is there when it is due."""
    assert asked.at is not None  # noqa: S101
    return asked.at - asked.rule.within if asked.moment.moment is Moment.REVIEW else asked.at


def _when(
    protocol: CombinedProtocol, phase: Protocol, pathway: Pathway, moment: At
) -> tuple[datetime | None, str]:
    """When a moment is, as far as it is known, and by which name a task can be about it."""
    given = pathway.sessions_in(phase.id)
    match moment.moment:
        case Moment.WEEK:
            name = f"week-{moment.number}"
            after = timedelta(weeks=moment.number or 0)
            return (given[0].started + after if given else None), name
        case Moment.SESSION:
            number = moment.number or 0
            name = f"session-{number}"
            return (given[number - 1].started if len(given) >= number else None), name
        case Moment.PHASE_END:
            over = bool(given) and visits_over(protocol, pathway, phase.id)
            return (given[-1].started if over else None), "end"
        case Moment.REVIEW:
            due = review_due(phase, pathway)
            number = len(pathway.phases[phase.id].decisions) + 1
            return due, f"review-{number}"
        case unknown:
            assert_never(unknown)


def review_due(phase: Protocol, pathway: Pathway) -> datetime | None:
    """When an open phase is to be reviewed next."""
    state, every = pathway.phases[phase.id], phase.schedule.review_every
    if every is None:
        return None
    since = max([when for when, _ in state.decisions.values()] or [state.entered])
    return since + timedelta(days=every)


def _answer(pathway: Pathway, rule: AssessmentRule, at: datetime | None) -> Observed | None:
    """The first score that will do: from so long before the moment, or since."""
    if at is None:
        return None
    known = pathway.readings.get(rule.score, ())
    return next((found for found in known if found.at >= at - rule.within), None)
