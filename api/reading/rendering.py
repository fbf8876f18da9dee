"""Show what the store holds, and what the planner makes of it. Decides nothing, hides nothing."""

from datetime import datetime
from typing import Literal

from api.edge.blocks import block_of
from api.edge.problems import Problem
from api.reading import pathway_views as v
from api.reading import work_views as w
from domain.language.clocks import LocalTime, instant, local_day
from domain.language.names import Author, EventId, Role, TaskId, VisitStatus
from domain.language.pathway import Hold, Pathway, Phase, Session, Standing, Visit
from domain.language.protocol import CombinedProtocol, Protocol
from domain.planner import steps, task_key
from domain.rules import course
from domain.rules.assessments import Asked, moments
from domain.rules.assessments import says as said_of
from domain.rules.risk import risk_now
from domain.rules.standing import ended_at, holds, reading
from domain.rules.steps import TASKS, AskPerson, Await, Finished, ProposeVisits, Step, Urgency
from domain.worklist import ListedTask, open_tasks
from store.records import CommandRecord, EventRecord

UrgencyName = Literal["safety", "visit", "routine"]
URGENCIES: dict[int, UrgencyName] = {
    Urgency.SAFETY: "safety",
    Urgency.VISIT: "visit",
    Urgency.ROUTINE: "routine",
}


def local_view(local: LocalTime) -> v.Local:
    return v.Local(day=local.day, hour=f"{local.hour:%H:%M}")


def who_view(author: Author) -> v.Who:
    return v.Who(id=author.id, role=author.role)


def step_view(step: Step, pathway: Pathway) -> v.StepView:
    match step:
        case AskPerson():
            return v.StepView(
                kind="ask",
                says=step.says,
                rule=step.rule,
                ask=step.ask,
                about=step.about,
                who=list(step.roles),
                why=step.why,
                source=step.source,
                due=step.due,
                task=task_address(task_key(step, pathway)) if step.ask in TASKS else None,
                blocked_by=[block_of(block) for block in step.blocked_by],
            )
        case ProposeVisits():
            proposals = [
                v.Proposal(visit=plan.visit, at=local_view(plan.at), replaces=plan.replaces)
                for plan in step.visits
            ]
            return v.StepView(
                kind="propose",
                says=step.says,
                rule=step.rule,
                source=step.source,
                visits=proposals,
            )
        case Await():
            return v.StepView(
                kind="await",
                says=step.says,
                rule=step.rule,
                about=step.about,
                until=step.until,
                source=step.source,
                blocked_by=[block_of(block) for block in step.blocked_by],
            )
        case Finished():
            return v.StepView(kind="finished", says=step.says, rule=step.rule, outcome=step.outcome)


def task_address(task: str) -> str:
    """Write a task's id so that it can stand in an address."""
    return task.replace("/", "~").replace("#", ".")


def task_at(address: str) -> TaskId:
    """Read a task's id from an address; ids hold neither of the signs that stand in for theirs."""
    return TaskId(address.replace("~", "/").replace(".", "#"))


def task_view(listed: ListedTask, whose: v.PathwaySummary, now: datetime) -> v.TaskView:
    task = listed.task
    return v.TaskView(
        id=task_address(listed.id),
        pathway=whose.id,
        site=whose.site,
        patient=whose.patient,
        ask=listed.ask,
        urgency=URGENCIES[listed.urgency],
        phase=listed.phase,
        visit=listed.visit,
        rule=task.rule,
        says=task.says,
        who=list(task.roles),
        opened=task.opened,
        due=task.due,
        overdue=not task.closed and task.due is not None and task.due < now,
        raised=task.raised,
        was_due=task.was_due,
        acknowledged=task.acknowledged,
        closed=task.closed,
    )


def visit_view(visit: Visit, pathway: Pathway, protocol: CombinedProtocol) -> v.VisitView:
    planned = protocol.phase(visit.phase).schedule.stages[visit.stage].per_visit
    return v.VisitView(
        id=visit.id,
        phase=visit.phase,
        stage=visit.stage,
        status=VisitStatus(visit.status),
        proposed=local_view(visit.proposed),
        at=local_view(visit.at),
        starts=instant(visit.at, pathway.zone),
        checked_in=visit.checked_in,
        replaces=visit.replaces,
        sessions_given=len(pathway.sessions_at(visit.id)),
        sessions_planned=planned,
        left_early=visit.left_early,
        disposition=visit.went,
    )


def visit_views(pathway: Pathway, protocol: CombinedProtocol) -> list[v.VisitView]:
    visits = sorted(pathway.visits.values(), key=lambda visit: (visit.at.day, visit.at.hour))
    return [visit_view(visit, pathway, protocol) for visit in visits]


def session_view(session: Session) -> v.SessionView:
    return v.SessionView(
        phase=session.phase,
        number=session.number,
        visit=session.visit,
        started=session.started,
        ended=session.ended,
        mg=session.mg,
        deviation=session.deviation,
        authorized=session.authorized,
    )


def phase_view(phase: Protocol, pathway: Pathway) -> v.PhaseView:
    """Show a phase of the protocol, entered or still to come."""
    known: Phase | None = pathway.phases.get(phase.id)
    stages = [stage.sessions for stage in phase.schedule.stages]
    closed = [sessions for sessions in stages if sessions is not None]
    decisions = sorted(known.decisions.values()) if known else []
    return v.PhaseView(
        id=phase.id,
        title=phase.title,
        treatment=phase.treatment,
        entered=known.entered if known else None,
        first_visit=local_view(known.first_visit) if known else None,
        signed=known.signed if known else None,
        sessions_given=len(pathway.sessions_in(phase.id)),
        sessions_planned=sum(closed) if len(closed) == len(stages) else None,
        decisions=[v.DecisionView(at=at, decision=decision) for at, decision in decisions],
    )


def hold_view(key: str, hold: Hold) -> v.HoldView:
    return v.HoldView(
        id=key,
        reason=hold.reason,
        note=hold.note,
        placed=hold.placed,
        by=who_view(hold.by),
        lifted=hold.lifted,
        lifted_at=hold.lifted_at,
    )


def standing_view(key: str, decision: Standing, pathway: Pathway, now: datetime) -> v.StandingView:
    over = ended_at(pathway, decision)
    return v.StandingView(
        id=key,
        gate=decision.gate,
        phase=decision.phase,
        made=decision.made,
        by=who_view(decision.by),
        until=decision.until,
        words=decision.words,
        allows=list(decision.allows),
        holds=holds(pathway, decision, now),
        ended=over,
        why_ended=_why_ended(decision, over),
    )


def _why_ended(decision: Standing, over: datetime | None) -> str | None:
    if over is None:
        return None
    if over == decision.ended:
        return decision.why
    if over in (at for at, _ in decision.beyond.values()):
        return "a reading went beyond what the decision allows"
    return "another decision replaced it, or its phase ended"


def whose(author: Author | None) -> v.Who | None:
    return None if author is None else who_view(author)


def _days_to_first(summary: v.PathwaySummary, pathway: Pathway) -> int | None:
    first = min((session.started for session in pathway.sessions.values()), default=None)
    if first is None:
        return None
    since = pathway.referred_on or local_day(summary.started_at, pathway.zone)
    return (local_day(first, pathway.zone) - since).days


def _risk_view(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> v.RiskView | None:
    found = risk_now(protocol, pathway, now)
    if found is None:
        return None
    return v.RiskView(
        level=found.level.id,
        says=found.says,
        since=found.since,
        holds=list(found.level.holds),
        hastens=found.level.hastens,
        entries=[reading.evidence for _, reading in found.readings],
    )


def _assessment_view(
    protocol: CombinedProtocol, pathway: Pathway, asked: Asked
) -> v.AssessmentView:
    kind, score = protocol.vocabulary.kind(asked.rule.score), asked.score
    return v.AssessmentView(
        rule=asked.rule.id,
        score=kind.title,
        moment=str(asked.moment),
        at=asked.at,
        value=None if score is None else reading(kind, score),
        taken=None if score is None else score.at,
        entry=None if score is None else score.evidence,
        says=[course.sentence(each) for each in said_of(protocol, pathway, asked)],
    )


def pathway_view(
    summary: v.PathwaySummary,
    protocol: CombinedProtocol,
    pathway: Pathway,
    deliveries: dict[str, int],
    now: datetime,
) -> v.PathwayView:
    """Show a pathway as it is now, with what is next and what stands in the way."""
    started = bool(pathway.phases)
    planned = steps(protocol, pathway, now) if started else ()
    return v.PathwayView(
        **summary.model_dump(),
        protocol=v.PinnedProtocol(
            id=protocol.id,
            version=protocol.version,
            sha256=protocol.sha256,
            illustrative=protocol.illustrative,
        ),
        zone=pathway.zone,
        now=now,
        outcome=pathway.outcome,
        course=[
            v.CourseView(
                rule=each.rule,
                met=each.met,
                says=each.says,
                at=each.score.at,
                entry=each.score.evidence,
            )
            for each in (course.said_now(protocol, pathway) if started else ())
        ],
        risk=_risk_view(protocol, pathway, now) if started else None,
        assessments=[
            _assessment_view(protocol, pathway, asked)
            for asked in (moments(protocol, pathway) if started else ())
        ],
        referred_on=pathway.referred_on,
        days_to_first_treatment=_days_to_first(summary, pathway),
        next=[step_view(step, pathway) for step in planned],
        phases=[phase_view(phase, pathway) for phase in protocol.phases],
        visits=visit_views(pathway, protocol),
        sessions=[
            session_view(s) for s in sorted(pathway.sessions.values(), key=lambda s: s.started)
        ],
        holds=[hold_view(key, hold) for key, hold in pathway.holds.items()],
        standing_decisions=[
            standing_view(key, decision, pathway, now) for key, decision in pathway.standing.items()
        ],
        tasks=[task_view(each, summary, now) for each in open_tasks(pathway, planned)],
        deliveries=deliveries,
    )


def event_view(row: EventRecord, pathway: Pathway) -> v.EventView:
    return v.EventView(
        seq=row.seq,
        id=row.event_id,
        kind=row.kind,
        at=row.at,
        recorded_at=row.recorded_at,
        by=v.Who(id=row.author_id, role=Role(row.author_role)),
        fact=dict(row.fact),
        entered_in_error=pathway.voided.get(EventId(row.event_id)),
    )


def command_view(row: CommandRecord, problem: Problem | None) -> w.CommandView:
    """Show how far a command has come, and the problem that it was rejected with."""
    return w.CommandView(
        id=row.id,
        kind=row.kind,
        state=row.state,
        pathway=f"/v1/pathways/{row.pathway_id}",
        version=row.version,
        problem=None if problem is None else problem.view(),
        received_at=row.received_at,
        settled_at=row.settled_at,
    )
