"""Against which score is a fall judged: the last before treatment, as it was known then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from domain.language.baselines import BaselineNamed
from domain.language.clocks import local
from domain.language.names import ObservationName, PhaseId
from domain.language.pathway import Baseline, Observed, Pathway
from domain.language.protocol import Anchor, BaselineRule, CombinedProtocol


@dataclass(frozen=True, slots=True)
class NoBaseline:
    """Why nothing can be judged; `found` if a score is there and will not do."""

    says: str
    found: Observed | None = None


def to_name(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[BaselineNamed]:
    """Name the baselines of each phase in which a treatment was given and none stands yet.

    Of two scores of one instant the lower is taken: it shows the smaller fall.
    """
    for phase in pathway.phases:
        given = pathway.sessions_in(phase)
        if not given:
            continue
        since = given[0].started
        for score in sorted(protocol.vocabulary.judged()):
            named = pathway.baselines.get(f"{phase}/{score}")
            if not _stands(pathway, score, named, since):
                known = [o for o in pathway.readings.get(score, ()) if o.at <= since]
                last = [o for o in known if o.at == known[-1].at]
                lowest = min(last, key=lambda o: o.value or 0, default=None)
                evidence = None if lowest is None else lowest.evidence
                times = 1 if named is None else named.times + 1
                same = named is not None and named.event == evidence
                first = named.since_number if named is not None and same else None
                yield BaselineNamed(phase, score, evidence, since, number=times, since_number=first)


def baseline_of(
    protocol: CombinedProtocol, pathway: Pathway, phase: PhaseId, score: ObservationName
) -> Observed | NoBaseline:
    """Give the score against which a fall is judged at this phase, or say why there is none."""
    title = protocol.vocabulary.kind(score).title
    rule = protocol.phase(phase).benefit.get(score)
    of_phase = phase
    if rule is None or rule.anchor is Anchor.PATHWAY:
        treated = [p.id for p in protocol.phases if pathway.sessions_in(p.id)]
        of_phase = treated[0] if treated else phase
    named = pathway.baselines.get(f"{of_phase}/{score}")
    if named is not None and not _was_seen(pathway, f"{of_phase}/{score}", named):
        says = "a correction changed the baseline: a prescriber must confirm it first"
        return NoBaseline(f"{title} before treatment ({says})")
    if named is None or named.event is None:
        return NoBaseline(f"a {title} from before the first treatment; a prescriber can name one")
    found = next((o for o in pathway.readings.get(score, ()) if o.evidence == named.event), None)
    if found is None:
        return NoBaseline(f"a {title} from before the first treatment; a prescriber can name one")
    return found if rule is None else _judged(rule, title, found, named, pathway.zone)


def _judged(
    rule: BaselineRule, title: str, found: Observed, named: Baseline, zone: str
) -> Observed | NoBaseline:
    day = local(found.at, zone).day
    age = named.since - found.at
    if age > rule.within and not named.by_person:
        return NoBaseline(
            f"a {title} from at most {rule.within.days} days before the first treatment; the last "
            f"one, from {day}, was {age.days} days before it: a prescriber can name one"
        )
    if found.value is None or found.value < rule.at_least:
        return NoBaseline(
            f"{title} was {found.value} points before treatment ({day}); a reduction is judged "
            f"only from {rule.at_least} points or more",
            found,
        )
    return found


def came_after(pathway: Pathway) -> Iterator[tuple[str, Observed]]:
    """Find scores from before a treatment that came after its baseline was named; by its key."""
    for key, named in pathway.baselines.items():
        score = ObservationName(key.rpartition("/")[2])
        known = pathway.readings.get(score, ())
        of_baseline = next((o.at for o in known if o.evidence == named.event), None)
        for found in known:
            before = found.at <= named.since and found.evidence != named.event
            before = before and found.evidence not in named.beside
            if before and (of_baseline is None or found.at > of_baseline):
                yield key, found


def renamed(key: str, named: Baseline) -> str:
    """Say what a prescriber is asked about when Kairos named another baseline than before."""
    return f"{key}/renamed-{named.since_number}"


def _was_seen(pathway: Pathway, key: str, named: Baseline) -> bool:
    """Say whether a prescriber named a baseline, or has seen that it is another one now."""
    if named.by_person or named.since_number == 1:
        return True
    about = f"/{renamed(key, named)}#"
    return any(about in task and known.acknowledged for task, known in pathway.tasks.items())


def _stands(
    pathway: Pathway, score: ObservationName, named: Baseline | None, since: datetime
) -> bool:
    """Say whether a baseline still is the phase's: its score stands, and so does the treatment.

    One that a person named stands as long as the score is from before the first treatment.
    """
    if named is None or (named.event is not None and named.event in pathway.voided):
        return False
    if not named.by_person:
        return named.since == since
    known = pathway.readings.get(score, ())
    return all(each.at <= since for each in known if each.evidence == named.event)
