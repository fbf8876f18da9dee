"""Turn a person's wish into facts, or refuse it. Pure: the same inputs give the same facts.

Raises Refused (a rule said no, naming it), Conflict (already so) or Malformed (never right). What
each wish needs, and what comes of it, stands in its chapter; here a wish only finds the way there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never

from domain import corrections
from domain.chapters import (
    authorizations,
    baselines,
    holds,
    observations,
    overrides,
    phases,
    release,
    standing,
    tasks,
    treatment,
    trials,
    visits,
)
from domain.language.authorizations import AuthorizationWish
from domain.language.baselines import BaselineWish
from domain.language.chart import ChartWish
from domain.language.commands import Command, Wish
from domain.language.corrections import CorrectEntry, CorrectionWish
from domain.language.errors import Conflict
from domain.language.events import Event, Fact
from domain.language.findings import CheckResult, result_of
from domain.language.holds import SEEN_AFTER_THE_END, HoldWish, LiftHold, PlaceHold
from domain.language.names import EventId, HoldId, PhaseDecision, Role, any_of
from domain.language.observations import ObservationWish
from domain.language.overrides import OverrideWish
from domain.language.pathway import Pathway
from domain.language.phases import (
    ChangeProtocol,
    Decide,
    PhaseWish,
    ProtocolChanged,
    ProtocolWish,
    SignOrder,
)
from domain.language.protocol import CombinedProtocol
from domain.language.release import ReleaseWish
from domain.language.standing import DecideAhead, StandingWish
from domain.language.tasks import TaskWish
from domain.language.treatment import AgainstARule, TreatmentWish
from domain.language.trials import TrialWish
from domain.language.visits import BookVisit, BookVisits, CheckIn, MoveVisit, VisitWish
from domain.rules import chart, versions
from domain.rules.attendance import has_died
from domain.rules.refusing import check_open, found, insist, insist_reason

AFTER_THE_END = (
    ObservationWish
    | AgainstARule
    | ReleaseWish
    | TaskWish
    | CorrectionWish
    | BaselineWish
    | OverrideWish
    | LiftHold
)
"""What is said of what happened, or was seen: it is taken after the pathway has ended too."""


PLANS = Decide | SignOrder | BookVisit | BookVisits | MoveVisit | CheckIn | DecideAhead
"""What is only for a patient who lives."""


def decide(
    protocol: CombinedProtocol, pathway: Pathway, command: Command, now: datetime
) -> tuple[Event, ...]:
    """Say what becomes true if this command is accepted now. UTC `now`."""
    precheck(protocol, pathway, command.wish, now)
    insist(check_may_wish(command.wish, command.by.role), "do this")
    insist(check_alive(pathway, command.wish), "plan or order treatment")
    at, facts = _facts(protocol, pathway, command, now)
    return tuple(
        Event(EventId(f"{command.id}/{place}"), at, command.by, fact)
        for place, fact in enumerate(facts)
    )


def correction(
    protocol: CombinedProtocol,
    pathway: Pathway,
    history: Sequence[Event],
    command: Command,
    now: datetime,
    earlier: Mapping[str, CombinedProtocol],
) -> tuple[Event, ...]:
    """Say what becomes true if this correction is accepted now, over all that was recorded.

    `earlier` are the versions of the protocol until each change of it, by the names they have.
    """
    if not isinstance(command.wish, CorrectEntry):
        raise TypeError("not a correction")
    precheck(protocol, pathway, command.wish, now)
    insist(check_may_wish(command.wish, command.by.role), "do this")

    def name(place: int) -> EventId:
        return EventId(f"{command.id}/{place}")

    facts = corrections.correct(
        protocol, pathway, history, command.wish, name, command.by.role, now, earlier
    )
    return tuple(Event(name(place), at, command.by, fact) for place, (at, fact) in enumerate(facts))


def change(
    old: CombinedProtocol,
    new: CombinedProtocol,
    pinned: str,
    pathway: Pathway,
    command: Command,
    now: datetime,
    history: Sequence[Event],
) -> tuple[Event, ...]:
    """Say what becomes true if the pathway goes on under another version of its protocol.

    `pinned` is the name under which the version until now is kept, `history` all of its events.
    """
    wish = command.wish
    if not isinstance(wish, ChangeProtocol):
        raise TypeError("not a change of protocol")
    precheck(old, pathway, wish, now)
    insist(check_may_wish(wish, command.by.role), "do this")
    blocks = tuple(found(rule, says) for rule, says in versions.against(old, new, pathway, history))
    insist(result_of(blocks), "change the version")
    vocabulary = new.vocabulary.version
    fact = ProtocolChanged(
        new.version, new.sha256, vocabulary, old.version, pinned, wish.reason.strip()
    )
    return (Event(EventId(f"{command.id}/0"), now, command.by, fact),)


def check_may_wish(wish: Wish, role: Role) -> CheckResult:
    """May this role have such a wish at all? On which pathway is its chapter's to say."""
    if role in wish.MAY:
        return result_of(())
    finding = f"this is for {any_of(wish.MAY)}, not for {role.spoken}"
    return result_of((found("may-wish", finding, wish.MAY),))


def check_alive(pathway: Pathway, wish: Wish) -> CheckResult:
    """Is the patient alive, for what is planned or ordered? What happened is recorded all the same.

    Stopping the pathway is a decision too, and the one that is left.
    """
    stop = isinstance(wish, Decide) and wish.decision is PhaseDecision.STOP
    if stop or not has_died(pathway) or not isinstance(wish, PLANS):
        return result_of(())
    finding = "the patient is recorded as deceased: stop the pathway, or correct that entry"
    return result_of((found("died", finding),))


def precheck(  # noqa: C901, PLR0912  one question a chapter
    protocol: CombinedProtocol, pathway: Pathway, wish: Wish, now: datetime
) -> None:
    """Raise unless a wish can be meant: the pathway goes on, what it names is there, times fit.

    Asks no rule of care, so that it can be answered before a command is kept and sent on.
    """
    if not pathway.phases:
        raise Conflict("the pathway is still starting; try again in a moment")
    seen = isinstance(wish, PlaceHold) and wish.reason in SEEN_AFTER_THE_END
    if not seen and not isinstance(wish, AFTER_THE_END):
        insist(check_open(pathway), "do this now (what happened can still be recorded)")
    if isinstance(wish, PhaseWish):
        phases.check_meant(pathway, wish)
    elif isinstance(wish, VisitWish):
        visits.check_meant(pathway, wish)
    elif isinstance(wish, ReleaseWish):
        release.check_meant(pathway, wish, now)
    elif isinstance(wish, ObservationWish):
        observations.check_meant(pathway, wish, now)
    elif isinstance(wish, TreatmentWish):
        treatment.check_meant(pathway, wish, now)
    elif isinstance(wish, HoldWish):
        holds.check_meant(pathway, wish)
    elif isinstance(wish, OverrideWish):
        overrides.check_meant(protocol, pathway, wish)
    elif isinstance(wish, TaskWish):
        tasks.check_meant(pathway, wish)
    elif isinstance(wish, CorrectionWish):
        corrections.check_meant(pathway, wish, now)
    elif isinstance(wish, BaselineWish):
        baselines.check_meant(protocol, pathway, wish)
    elif isinstance(wish, StandingWish):
        standing.check_meant(protocol, pathway, wish)
    elif isinstance(wish, TrialWish):
        trials.check_meant(wish)
    elif isinstance(wish, AuthorizationWish):
        authorizations.check_meant(wish)
    elif isinstance(wish, ChartWish):
        pass  # what the chart says is not a person's
    elif isinstance(wish, ProtocolWish):
        insist_reason(wish.reason)
    else:
        assert_never(wish)


def _facts(  # noqa: C901, PLR0911, PLR0912  one answer a chapter
    protocol: CombinedProtocol, pathway: Pathway, command: Command, now: datetime
) -> tuple[datetime, tuple[Fact, ...]]:
    """Say what becomes true, and when it happened: now, unless the wish says when."""
    wish, role = command.wish, command.by.role
    if isinstance(wish, PhaseWish):
        return now, phases.decide(protocol, pathway, wish, role, now)
    if isinstance(wish, VisitWish):
        return now, visits.decide(protocol, pathway, wish, now)
    if isinstance(wish, ReleaseWish):
        return release.decide(protocol, pathway, wish, role, now)
    if isinstance(wish, ObservationWish):
        return observations.decide(protocol, pathway, wish, role, now)
    if isinstance(wish, TreatmentWish):
        return treatment.decide(protocol, pathway, wish, role, now)
    if isinstance(wish, HoldWish):
        return now, holds.decide(pathway, wish, HoldId(command.id))
    if isinstance(wish, OverrideWish):
        return now, overrides.decide(protocol, pathway, wish, now)
    if isinstance(wish, TaskWish):
        return now, tasks.decide(pathway, wish, role)
    if isinstance(wish, BaselineWish):
        return now, baselines.decide(protocol, pathway, wish)
    if isinstance(wish, StandingWish):
        return now, standing.decide(protocol, pathway, wish, now)
    if isinstance(wish, TrialWish):
        return now, trials.decide(pathway, wish)
    if isinstance(wish, AuthorizationWish):
        return now, authorizations.decide(pathway, wish)
    if isinstance(wish, ChartWish):
        return now, (chart.read(protocol, pathway, wish.reading),)
    if isinstance(wish, CorrectionWish | ProtocolWish):
        raise TypeError("this needs more than the state: see `correction` and `change`")
    assert_never(wish)
