"""A simulated clinic: staff who follow what is next on a pathway, and sometimes misbehave.

What staff do at each turn is named in `TURNS`, the first being good behaviour. A `script` says it
for one visit, `choices` in the order in which the turns come; whoever is asked once these are used
up behaves well. Pure and deterministic: same choices, same course.
"""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from demo.course import FOR_ESKETAMINE
from domain.language.authorizations import AuthorizedUnit, RecordAuthorization
from domain.language.clocks import LocalTime, local
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import (
    Author,
    HoldReason,
    ObservationName,
    PhaseDecision,
    PhaseId,
    Role,
    RuleId,
    Treatment,
    VisitId,
)
from domain.language.names import VisitStatus as Status
from domain.language.observations import RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.phases import Decide, SignOrder
from domain.language.release import Disposition, NotTreated, ReleaseVisit
from domain.language.requirements import Requirement
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import RecordDose, RecordStimulation
from domain.language.trials import RecordTrial, TrialOutcome
from domain.language.visits import BookVisit, CheckIn, MissVisit, MoveVisit
from domain.planner import steps, task_key
from domain.rules.reviews import REVIEWS
from domain.rules.steps import Ask, AskPerson, Await, Finished, Step
from tests.domain.simulation import Simulation, readings

TURNS = {
    "come": ("comes", "misses", "moves on a day", "moves back a day", "comes late"),
    "pressure": ("is fine", "is high", "is written down late"),
    "held": ("overrides", "measures again", "sends home"),
    "give": ("gives", "28 mg", "double click", "too early", "hold", "late entry", "stops early"),
    "leave": ("waits", "goes early"),
    "decide": ("goes on", "stops"),
}
THRESHOLD = 55  # percent of what the stimulator can do
GOOD = {
    "systolic_bp": 128,
    "diastolic_bp": 82,
    "spo2": 97,
    "sedation_moaas": 5,
    "dissociation_cadss": 0,
    "motor_threshold": THRESHOLD,
    "age": 44,
}
HIGH = {"systolic_bp": 152, "diastolic_bp": 94}
LOW_RISK = (1, 1, 1, 1, 1, 1, 1, 1, 0)
BASELINE, WELL, UNCHANGED = (3,) * 9 + (1,), (1,) * 10, (3,) * 8 + (2, 1)
AUTHORIZATION = {
    Treatment.ESKETAMINE: ObservationName("esketamine_authorization"),
    Treatment.DTMS: ObservationName("tms_authorization"),
}
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
SESSION = timedelta(minutes=20)


PRESCRIBER = Author("a-prescriber", Role.PRESCRIBER)


@dataclass
class Course(Simulation):
    """A world with staff in it. `madrs` is what is scored whenever a decision needs it."""

    script: Mapping[tuple[str, str], str] = field(default_factory=dict)
    choices: Iterable[int] = ()
    madrs: tuple[int, ...] = WELL
    mg: int = 84

    def __post_init__(self) -> None:
        """Enrol the patient."""
        self._choices = list(self.choices)
        self._script = dict(self.script)
        super().__post_init__()

    def copied(self) -> "Course":
        """Copy this course, so that it can go on in another way."""
        other = copy(self)
        other.events, other.said = list(self.events), list(self.said)
        other.earlier = dict(self.earlier)
        other._numbers = copy(self._numbers)
        other._choices, other._script = list(self._choices), dict(self._script)
        return other

    def turn(self, what: str, about: str) -> str:
        """Say what staff do at this turn."""
        if (what, about) in self._script:
            return self._script.pop((what, about))
        choice = self._choices.pop(0) if self._choices else 0
        return TURNS[what][choice % len(TURNS[what])]

    def run(self, *until: str, turns: int = 4000) -> Step:
        """Follow what is next until the end, or until it is one of these asks or about this."""
        for _ in range(turns):
            step = self.next()
            names = {getattr(step, "ask", ""), getattr(step, "about", "")}
            if isinstance(step, Finished) or names & set(until):
                return step
            self.follow(step)
        raise AssertionError(f"no end in sight: {self.next()}")

    def next(self) -> Step:
        """Say what is most pressing now."""
        return steps(self.protocol, self.pathway, self.now)[0]

    def follow_next(self) -> None:
        """Do what is next."""
        self.follow(self.next())

    def follow(self, step: Step) -> None:
        """Do this step."""
        before = (self.now, len(self.events))
        if isinstance(step, Await):
            self.pass_time(step.until)
        elif isinstance(step, AskPerson):
            self.answer(step)
        if before == (self.now, len(self.events)):
            self.wait(QUARTER)

    def answer(self, step: AskPerson) -> None:  # noqa: C901, PLR0912  one case an ask, each a line or two
        """Do what is asked, well or badly."""
        visit, rules = VisitId(step.about), {block.rule for block in step.blocked_by}
        match step.ask:
            case Ask.SIGN_ORDER:
                if ObservationName("madrs_total") not in self.pathway.readings:
                    self.assess("madrs", *BASELINE)
                self.do(SignOrder(PhaseId(step.about)))
            case Ask.BOOK_VISITS:
                self.book(int(step.about.rsplit("/", 1)[1]))
            case Ask.CHECK_IN:
                self.come(visit)
            case Ask.RESOLVE_VISIT if self.pathway.visits[visit].status is Status.CHECKED_IN:
                why = None if self.pathway.sessions_at(visit) else NotTreated.OTHER
                left = Disposition.AGAINST_ADVICE
                self.do(ReleaseVisit(visit, left, "Nobody saw them leave.", not_treated=why))
            case Ask.RESOLVE_VISIT:
                if self.attempt(CheckIn(visit)):
                    self.do(MissVisit(visit))
            case Ask.RECORD:
                self.supply(visit, rules)
            case Ask.GIVE:
                self.give(visit)
            case Ask.RELEASE:
                self.do(ReleaseVisit(visit))
            case Ask.CLEAR_GATE:
                self.clear(VisitId(step.about.split("/")[0]), RuleId(step.rule))
            case Ask.LIFT_HOLD:
                holds = self.pathway.open_holds()
                self.do(LiftHold(holds[0], "Looked at: nothing stands against treatment."))
            case Ask.ASSESS if step.about.endswith("/suicide_risk"):
                self.do(RecordReadings(self.now, readings(suicide_risk="low")))
            case Ask.RENEW_AUTHORIZATION:
                self.authorized(Treatment(step.about.split("/")[0]))
            case Ask.ASSESS:
                self.assess("madrs", *self.madrs)
            case ask if ask in REVIEWS:
                self.run_rules()
                seen = AcknowledgeTask(task_key(step, self.pathway), "Seen; no change of plan.")
                self.do(seen, PRESCRIBER)
            case Ask.DECIDE if step.rule == "died":
                self.do(Decide(PhaseId(step.about), PhaseDecision.STOP, "The patient has died."))
            case Ask.DECIDE | Ask.REVIEW:
                self.judge()

    def pass_time(self, until: datetime) -> None:
        """Wait, or try to let the patient go before the time is over."""
        here = [v.id for v in self.pathway.visits.values() if v.status is Status.CHECKED_IN]
        if here and self.turn("leave", here[0]) == "goes early":
            self.attempt(ReleaseVisit(here[0]))
        self.wait(until - self.now)

    def book(self, batch: int) -> None:
        """Book what was proposed together, each a day off if the protocol does not allow it."""
        for visit in self.pathway.visits_in(self.pathway.phase):
            if visit.batch == batch and visit.status is Status.PROPOSED:
                days = (visit.proposed.day + timedelta(days=n) for n in (0, 1, -1))
                times = (LocalTime(day, visit.proposed.hour) for day in days)
                any(self.attempt(BookVisit(visit.id, at)) is None for at in times)

    def come(self, visit: VisitId) -> None:
        """Come to a visit, or not."""
        at = self.pathway.visits[visit].at
        match self.turn("come", visit):
            case "misses":
                self.do(MissVisit(visit))
            case "moves on a day" | "moves back a day" as how:
                by = timedelta(days=1 if "on" in how else -1)
                self.attempt(MoveVisit(visit, LocalTime(at.day + by, at.hour)))
            case "comes late":
                self.wait(3 * QUARTER)
                self.attempt(CheckIn(visit))
            case _:
                self.do(CheckIn(visit))

    def supply(self, visit: VisitId, rules: set[RuleId]) -> None:
        """Take the readings that are missing for these gates and checks."""
        phase = self.protocol.phase(self.pathway.visits[visit].phase)
        needs = [need for gate in phase.gates if gate.id in rules for need in gate.require]
        names = {need.observation for need in needs}
        names |= {
            name for check in phase.timed_checks if check.id in rules for name in check.record
        }
        if ObservationName("phq9_item9") in names:
            self.assess("phq9", *LOW_RISK)
        if ObservationName("madrs_total") in names:
            self.assess("madrs", *BASELINE)
        before = not self.pathway.sessions_at(visit)
        how = self.turn("pressure", visit) if before and "systolic_bp" in names else ""
        if how == "is written down late":
            self.wait(4 * MINUTE)
        at = self.now - (4 * MINUTE if how == "is written down late" else timedelta())
        if ObservationName("adequate_trials") in names:
            self.tried()
        for treatment in Treatment:
            if AUTHORIZATION[treatment] in names:
                self.authorized(treatment)
        self.take(visit, needs, names, HIGH if how == "is high" else {}, at)

    def screen(self, visit: VisitId | None, *but: str) -> None:
        """Record what must be known before esketamine, but these; and what was tried before."""
        known = {name: answer for name, answer in FOR_ESKETAMINE if name not in but}
        if "age" not in but:
            self.do(RecordReadings(self.now, readings(age=GOOD["age"]), visit))
        self.do(RecordReadings(self.now, readings(**known), visit))
        if "esketamine_authorization" not in but:
            self.authorized(Treatment.ESKETAMINE)
        if "adequate_trials" not in but:
            self.tried()

    def tried(self) -> None:
        """Record two drugs that were tried before."""
        for drug in ("sertraline", "venlafaxine"):
            self.do(RecordTrial(drug, "SSRI", "200 mg", 8, TrialOutcome.NO_RESPONSE))

    def authorized(
        self,
        treatment: Treatment,
        units: int = 60,
        *,
        unit: AuthorizedUnit = AuthorizedUnit.SESSION,
        days: tuple[int, int] = (-30, 365),
        excludes: tuple[Treatment, ...] = (),
    ) -> RecordAuthorization:
        """Record that a payer authorized a treatment, between two days counted from today."""
        today = local(self.now, self.zone).day
        first, last = (today + timedelta(days=each) for each in days)
        number = f"PA-{len(self.pathway.authorizations) + 1}"
        wish = RecordAuthorization(
            treatment, number, first, last, units, unit, ("90868",), excludes
        )
        self.do(wish)
        return wish

    def take(
        self,
        visit: VisitId,
        needs: Iterable[Requirement],
        names: Iterable[str],
        found: Mapping[str, int],
        at: datetime,
    ) -> None:
        """Record good values of these, unless something else was found."""
        values = {name: GOOD[name] for name in sorted(names) if name in GOOD} | dict(found)
        answers = {need.observation: need.answer for need in needs if need.answer is not None}
        answers = {k: each for k, each in answers.items() if k not in AUTHORIZATION.values()}
        if values or answers:
            self.do(RecordReadings(at, readings(**values, **answers), visit))

    def give(self, visit: VisitId) -> None:
        """Give what is due at a visit, and record it."""
        how = self.turn("give", visit)
        match how:
            case "28 mg":
                self.attempt(RecordDose(visit, self.now, 28, "lot-1"))
            case "too early":
                self.attempt(self.treatment(visit, self.now - 2 * SESSION))
            case "hold":
                self.do(PlaceHold(HoldReason.ADVERSE_EVENT, "looked at"))
                self.attempt(self.treatment(visit, self.now))
                return
            case "stops early":
                self.attempt(ReleaseVisit(visit))
                return
        started = self.now
        wish = self.treatment(visit, started)
        if isinstance(wish, RecordStimulation):
            self.wait(SESSION)
        if how == "late entry":
            self.wait(QUARTER)
        self.attempt(wish)
        if how == "double click":
            self.attempt(wish)

    def treatment(self, visit: VisitId, at: datetime) -> RecordDose | RecordStimulation:
        """Write down the treatment that is due at a visit as it is ordered."""
        phase = self.protocol.phase(self.pathway.visits[visit].phase)
        if phase.stimulation is not None:
            rule = phase.stimulation
            ended, strength = at + SESSION, rule.intensity_percent_mt
            return RecordStimulation(
                visit, at, ended, rule.pulses, strength, THRESHOLD * strength // 100
            )
        first = phase.dose is not None and phase.dose.first_mg
        mg = first if first and not self.pathway.sessions_in(phase.id) else self.mg
        return RecordDose(visit, at, mg, "lot-1")

    def clear(self, visit: VisitId, gate: RuleId) -> None:
        """Look at a held gate as its clinician."""
        how = self.turn("held", visit)
        if how == "measures again":
            self.wait(QUARTER)
            self.supply(visit, {gate})
            return
        override = OverrideGate(visit, gate, "Benefit outweighs the risk today.")
        if how == "sends home":
            self.attempt(ReleaseVisit(visit))
        elif self.attempt(override):
            self.supply(visit, {gate})

    def judge(self) -> None:
        """Score MADRS, then decide: go on, complete at the review, or stop."""
        phase = self.pathway.phase
        self.assess("madrs", *self.madrs)
        decision = (
            PhaseDecision.COMPLETE if self.protocol.after(phase) is None else PhaseDecision.CONTINUE
        )
        if self.turn("decide", phase) == "stops":
            decision = PhaseDecision.STOP
        self.do(Decide(phase, decision, "As discussed with the patient."))
