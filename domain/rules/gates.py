"""Evaluate a protocol's gates against what was observed. Says what is found, never what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from domain.language.authorizations import RecordAuthorization
from domain.language.clocks import in_minutes, local, wall
from domain.language.findings import Blocked
from domain.language.names import EventId, ObservationName, Role, Treatment, VisitId, counted
from domain.language.pathway import Observed, Pathway, Standing
from domain.language.protocol import CombinedProtocol, Gate, Otherwise, Protocol, TimedCheck, When
from domain.language.requirements import Requirement, Test
from domain.language.trials import WITHOUT_LASTING_RESPONSE, RecordTrial
from domain.language.vocabulary import GRANTED, NOT_REQUIRED, ObservationKind
from domain.rules import authorized, standing
from domain.rules.baselines import baseline_of
from domain.rules.fold import override_key

PERCENT = Decimal(100)
MINUTES_OBSERVED = ObservationName("minutes_observed")


@dataclass(frozen=True, slots=True)
class Look:
    """Where and when a gate is looked at: `at` the instant, `visit` if it is about one."""

    protocol: CombinedProtocol
    pathway: Pathway
    at: datetime
    visit: VisitId | None = None
    mg: int | None = None  # of the dose that is asked about

    def latest(self, name: ObservationName, since: datetime | None) -> tuple[Observed, ...]:
        """Find the latest reading of a kind up to this instant, none before `since`.

        More than one if several were taken at the same instant: none of them is the later.
        """
        found = self.pathway.latest(name, self.at)
        return () if found and since is not None and found[0].at < since else found


def evaluate(gate: Gate, look: Look) -> tuple[Blocked, ...]:
    """List what stands in the way of a gate; findings that were overridden are left out."""
    since = _not_before(gate, look)
    return tuple(
        block
        for need in gate.require
        for block in _blocks(gate, need, look, since)
        if not overridden(block, look)
    )


def says_stop(
    protocol: CombinedProtocol, name: ObservationName, value: Decimal | None, answer: str | None
) -> bool:
    """Say whether a reading is something that nobody may override, by any gate of any phase."""
    return any(
        need.observation == name and not need.met(value, answer)
        for phase in protocol.phases
        for gate in phase.gates
        if not gate.overridable
        for need in gate.require
    )


def unmet(gate: Gate, need: Requirement, look: Look) -> Blocked | None:
    """Say what stands in the way of one line of a gate, whatever was overridden."""
    return next(_blocks(gate, need, look, _not_before(gate, look)), None)


def found_for(gate: Gate, need: Requirement, look: Look) -> Observed | None:
    """Find what a line of a gate is judged by, if there is any of the age that it asks."""
    return next(iter(_judged_by(need.observation, look, _not_before(gate, look))), None)


def decided_ahead(gate: Gate, look: Look) -> tuple[Standing, ...]:
    """List the standing decisions without which a gate would hold now."""
    found = (
        standing.lets_pass(look.pathway, gate, need.observation, each, look.at)
        for need in gate.require
        for each in look.latest(need.observation, _not_before(gate, look))
        if not need.met(each.value, each.answer)
    )
    known: list[Standing] = []
    known.extend(each for each in found if each is not None and each not in known)
    return tuple(known)


def overridden(block: Blocked, look: Look) -> bool:
    """Say whether an authored override at this visit, by then, covers all the evidence found."""
    if look.visit is None or block.finding is None or not block.overridable:
        return False
    since = look.pathway.overrides.get(override_key(look.visit, block.rule), {})
    covered = (item in since and since[item] <= look.at for item in block.evidence)
    return bool(block.evidence) and all(covered)


def observed_for(phase: Protocol) -> list[timedelta]:
    """How long a phase's gates want a patient observed after the dose."""
    needs = [need for gate in phase.gates for need in gate.require]
    minutes = [n.value for n in needs if n.observation == MINUTES_OBSERVED and n.value is not None]
    return [timedelta(minutes=int(each)) for each in minutes]


def timed_checks(look: Look, checks: tuple[TimedCheck, ...]) -> Iterator[Blocked]:
    """List readings due in a window after the dose: missing while it is open, found when over."""
    if look.visit is None:
        return
    for dose in look.pathway.sessions_at(look.visit)[-1:]:
        for check in checks:
            opens, closes = dose.started + check.earliest, dose.started + check.latest
            absent = [n for n in check.record if not _taken(look, n, opens, closes)]
            if not absent:
                continue
            titles = _titles(look, absent)
            window = f"{in_minutes(check.earliest)} to {in_minutes(check.latest)} min"
            who = _who(look, absent)
            if look.at < closes:
                block = Blocked(
                    check.id,
                    who,
                    missing=f"{titles}, due {window} after the first device",
                    opens=opens if look.at < opens else None,
                    closes=closes,
                    why=check.why,
                    source=check.source,
                )
            else:
                block = Blocked(
                    check.id,
                    (Role.PRESCRIBER,),
                    finding=f"{titles} was not recorded {window} after the first device",
                    overridable=True,
                    evidence=(f"{look.visit}/{check.id}/{dose.started.isoformat()}",),
                    why=check.why,
                    source=check.source,
                )
            if not overridden(block, look):
                yield block


def _not_before(gate: Gate, look: Look) -> datetime | None:
    """Say how old a reading may be; after a visit's dose only readings since then count."""
    since = look.at - gate.measured_within if gate.measured_within is not None else None
    if gate.when is When.AFTER_EACH_VISIT and look.visit is not None:
        given = look.pathway.sessions_at(look.visit)
        if given:
            since = max(since, given[-1].started) if since is not None else given[-1].started
    return since


def _blocks(gate: Gate, need: Requirement, look: Look, since: datetime | None) -> Iterator[Blocked]:
    """Find what stands in the way of one line: of several readings of one instant, each."""
    kind = look.protocol.vocabulary.kind(need.observation)
    if kind.reduction_of is not None:
        problem = _not_judged(gate, look, kind.reduction_of)
        if problem is not None:
            yield problem
            return
    latest = _judged_by(need.observation, look, since)
    if not latest:
        within = f" in the last {_length(gate.measured_within)}" if gate.measured_within else ""
        yield Blocked(
            gate.id,
            recorders(look, need.observation),
            missing=f"{_recorded(look, need.observation).title}, recorded{within}",
            why=gate.why,
            source=gate.source,
            stops=gate.otherwise is Otherwise.STOP,
        )
        return
    for found in latest:
        passes = need.met(found.value, found.answer)
        if not passes and not standing.lets_pass(
            look.pathway, gate, need.observation, found, look.at
        ):
            yield _found(gate, need, look, found)


def _judged_by(name: ObservationName, look: Look, since: datetime | None) -> tuple[Observed, ...]:
    """Find what an observation is judged by: recorded, computed, or authorized by a payer."""
    kind = look.protocol.vocabulary.kind(name)
    if kind.derived:
        derived = _derived(name, look, since)
        return () if derived is None else (derived,)
    recorded = look.latest(name, since)
    if kind.authorizes is None:
        return recorded
    return _authorized(look, kind.authorizes, recorded)


def _authorized(
    look: Look, treatment: Treatment, recorded: tuple[Observed, ...]
) -> tuple[Observed, ...]:
    """What the payer's letters and what people said of them answer, the later of both.

    A letter speaks once it covers the day: an old one takes back no denial. Said at the very same
    instant neither is the later, and both count.
    """
    day = local(look.at, look.pathway.zone).day
    covers = authorized.of_treatment(look.protocol, look.pathway, treatment)
    pays = [c for c in covers if authorized.lacking(look.protocol, [c], day, look.mg) is None]
    why = authorized.lacking(look.protocol, covers, day, look.mg)
    if pays:
        last = max(pays, key=lambda each: each.authorization.recorded)
        at = last.authorization.recorded
        if recorded and recorded[-1].at > at:
            return recorded
        granted = Observed(last.entry, at, None, GRANTED, None)
        return (*(each for each in recorded if each.at == at), granted)
    letters = [c.authorization.recorded for c in covers]
    none_needed = bool(recorded) and recorded[-1].answer == NOT_REQUIRED
    if why is None or (recorded and not (none_needed and max(letters) > recorded[-1].at)):
        return recorded
    entry, says = why  # `not required` was said before a letter came: that letter is asked about
    return (Observed(entry, look.pathway.authorizations[entry].recorded, None, says, None),)


def _found(gate: Gate, need: Requirement, look: Look, found: Observed) -> Blocked:
    """Say what one reading is, and what it would have to be."""
    kind = look.protocol.vocabulary.kind(need.observation)
    value = found.answer if found.answer is not None else kind.amount(_short(found.value))
    wanted = need.answers if need.answer is not None else kind.amount(need.value)
    test = "" if need.test is Test.IS else f"{need.test} "
    until = None
    if need.observation == MINUTES_OBSERVED and need.value is not None and look.visit:
        start = look.pathway.sessions_at(look.visit)[-1].started
        until = start + timedelta(minutes=int(need.value))
    # Nobody overrides time: the two hours of observation are a condition of supply.
    overridable = gate.overridable and until is None
    who = (Role.PRESCRIBER,) if overridable else recorders(look, need.observation)
    if kind.authorizes is not None:  # another authorization mends it too
        who = tuple(dict.fromkeys((*recorders(look, kind.name), *who)))
    return Blocked(
        gate.id,
        who if until is None else (),
        finding=f"{kind.title} {value}, required {test}{wanted} ({_basis(kind, found, look)})",
        overridable=overridable,
        evidence=(found.evidence,),
        passes=until,
        why=gate.why,
        source=gate.source,
        stops=gate.otherwise is Otherwise.STOP,
    )


def _not_judged(gate: Gate, look: Look, score: ObservationName) -> Blocked | None:
    """Say why a fall cannot be judged, if it cannot: no score before treatment, or one too low."""
    base = baseline_of(look.protocol, look.pathway, look.pathway.phase, score)
    if isinstance(base, Observed):
        return None
    found = base.found
    return Blocked(
        gate.id,
        (Role.PRESCRIBER,),
        finding=None if found is None else base.says,
        missing=base.says if found is None else None,
        overridable=found is not None and gate.overridable,
        evidence=() if found is None else (found.evidence,),
        why=gate.why,
        source=gate.source,
        stops=gate.otherwise is Otherwise.STOP,
    )


def _basis(kind: ObservationKind, found: Observed, look: Look) -> str:
    """What a finding rests on: when it was measured and, of a fall, from which score on."""
    if kind.counts_trials_from is not None:
        return f"each for at least {print_weeks(kind.counts_trials_from)}"
    if kind.reduction_of is None:
        return _measured(found, look, "measured" if kind.authorizes is None else "recorded")
    base = baseline_of(look.protocol, look.pathway, look.pathway.phase, kind.reduction_of)
    assert isinstance(base, Observed)  # noqa: S101  else there would be no fall, and no finding
    day = local(base.at, look.pathway.zone).day
    return f"from {_short(base.value)} on {day}, {_measured(found, look, 'measured')}"


def _recorded(look: Look, name: ObservationName) -> ObservationKind:
    """What somebody records so that an observation is there; a derived one comes from another."""
    kind = look.protocol.vocabulary.kind(name)
    return kind if kind.reduction_of is None else look.protocol.vocabulary.kind(kind.reduction_of)


def recorders(look: Look, name: ObservationName) -> tuple[Role, ...]:
    """Who can supply an observation; for a derived one, who records what it comes from."""
    if look.protocol.vocabulary.kind(name).counts_trials_from is not None:
        return RecordTrial.MAY
    tier = look.protocol.vocabulary.tiers.get(name)
    if tier is not None:
        return _who(look, list(tier.items))
    if look.protocol.vocabulary.kind(name).authorizes is not None:
        known = look.protocol.vocabulary.kind(name).recorded_by
        return tuple(dict.fromkeys((*known, *RecordAuthorization.MAY)))
    return _recorded(look, name).recorded_by


def _measured(found: Observed, look: Look, how: str) -> str:
    """When it was measured, by the clinic's wall; with its day, for the words are kept."""
    return f"{how} {wall(local(found.at, look.pathway.zone), look.pathway.zone)}"


def _short(value: Decimal | None) -> str:
    """A value to at most one decimal place, for reading only."""
    return f"{value:.1f}".removesuffix(".0") if value is not None else ""


def print_weeks(length: timedelta) -> str:
    return counted(length // timedelta(weeks=1), "week")


def _derived(name: ObservationName, look: Look, since: datetime | None) -> Observed | None:
    """Compute an observation that nobody records; None if what it needs is not there."""
    if name == MINUTES_OBSERVED and look.visit is not None:
        for dose in look.pathway.sessions_at(look.visit)[-1:]:
            minutes = Decimal(in_minutes(look.at - dose.started))
            evidence = EventId(f"{look.visit}/minutes-observed")
            return Observed(evidence, look.at, minutes, None, look.visit)
    score = look.protocol.vocabulary.kind(name).reduction_of
    if score is not None:
        first = baseline_of(look.protocol, look.pathway, look.pathway.phase, score)
        last = max(look.latest(score, since), key=lambda o: o.value or 0, default=None)
        if isinstance(first, Observed) and last and first.value and last.value is not None:
            if first.evidence == last.evidence:
                return None
            reduction = (first.value - last.value) * PERCENT / first.value
            return Observed(last.evidence, last.at, reduction, None, None)
    longer = look.protocol.vocabulary.kind(name).counts_trials_from
    if longer is not None:
        return _trials(look, longer)
    if name in look.protocol.vocabulary.tiers:
        return max(look.latest(name, since), key=lambda o: o.value or 0, default=None)
    return None


def _trials(look: Look, longer: timedelta) -> Observed | None:
    """Count the drugs that were taken so long without lasting response; None if none is known."""
    known = look.pathway.trials
    if not known:
        return None
    counted = {
        trial.drug.casefold()
        for trial in known.values()
        if timedelta(weeks=trial.weeks) >= longer and trial.outcome in WITHOUT_LASTING_RESPONSE
    }
    return Observed(list(known)[-1], look.at, Decimal(len(counted)), None, None)


def _taken(look: Look, name: ObservationName, opens: datetime, closes: datetime) -> bool:
    return any(o.visit == look.visit for o in look.pathway.taken(name, opens, closes))


def _titles(look: Look, names: list[ObservationName]) -> str:
    return ", ".join(look.protocol.vocabulary.kind(name).title for name in names)


def _who(look: Look, names: list[ObservationName]) -> tuple[Role, ...]:
    roles = [r for name in names for r in look.protocol.vocabulary.kind(name).recorded_by]
    return tuple(dict.fromkeys(roles))


def _length(length: timedelta | None) -> str:
    minutes = in_minutes(length or timedelta())
    if minutes % 1440 == 0:
        return counted(minutes // 1440, "day")
    return f"{minutes // 60} hours" if minutes % 60 == 0 and minutes > 60 else f"{minutes} min"  # noqa: PLR2004
