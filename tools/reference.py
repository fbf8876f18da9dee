"""Makes the pages of docs/reference from the code itself, so that they cannot say something else.

The moves of a visit stand in no table: they are found by asking the domain, for a visit in each
state, which wish is granted. Must not describe what it cannot look up.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from pydantic import BaseModel

from domain.automatic import automatic
from domain.decide import decide
from domain.delivery.after import MOST_ATTEMPTS
from domain.delivery.resolve import possible
from domain.delivery.words import (
    MOVES,
    NEEDS_PERSON,
    OPEN,
    Action,
    Delivery,
    DeliveryState,
)
from domain.language.clocks import LocalTime
from domain.language.commands import Command, Wish
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event
from domain.language.names import (
    Author,
    CommandState,
    ConnectionId,
    EhrPatientId,
    EventId,
    PathwayId,
    PathwayOutcome,
    PathwayStatus,
    RequestId,
    Role,
    SiteId,
    VisitId,
    VisitStatus,
)
from domain.language.pathway import Pathway, Phase, Visit
from domain.language.protocol import CombinedProtocol
from domain.language.release import NotTreated, ReleaseVisit
from domain.language.visits import BookVisit, CancelVisit, CheckIn, MissVisit, MoveVisit
from domain.rules.fold import fold
from protocols.loader import SHIPPED, load_protocols
from settings import ApiSettings, Connection, Settings, Site
from tools.api_page import api_page
from tools.requests import requests_page
from tools.vendors import vendors_page

ROOT = Path(__file__).resolve().parent.parent
GENERATED_BY = "<!-- Generated from the code by `./dev docs`; do not edit. -->"
DAY = date(2027, 3, 1)
AT = LocalTime(DAY, time(9))
VISIT = VisitId("visit-1")
MOMENTS = (datetime(2027, 3, 1, 8, tzinfo=UTC), datetime(2027, 3, 1, 10, tzinfo=UTC))
"""An hour before the visit and an hour after its start; the clinic of these pages is in UTC."""

WISHES: tuple[Wish, ...] = (
    BookVisit(VISIT),
    MoveVisit(VISIT, LocalTime(DAY, time(14))),
    CheckIn(VISIT),
    ReleaseVisit(VISIT, not_treated=NotTreated.OTHER),
    MissVisit(VISIT),
    CancelVisit(VISIT, "a reason"),
)

DELIVERY_STATES: Mapping[DeliveryState, str] = {
    DeliveryState.INTENT: "Committed with the event that calls for it; nothing has been sent.",
    DeliveryState.SENT: "Committed as about to be sent. After a crash it is treated as unknown.",
    DeliveryState.UNKNOWN: "Sent, but no answer came. Kairos looks for it before sending again.",
    DeliveryState.CONFIRMED: "In the EHR, read back, and equal to what was meant.",
    DeliveryState.DIVERGENT: "In the EHR, read back, and different.",
    DeliveryState.MISFILED: "In the EHR on another patient. Nothing more of its lane is sent.",
    DeliveryState.REFUSED: "The EHR said no, or sending it would not have been safe.",
    DeliveryState.SUPERSEDED: "A person decided that it is not needed, or entered it by hand.",
}


def states_page() -> str:
    """Draw the states of visits, deliveries and commands, with the moves between them."""
    return "\n".join([
        GENERATED_BY, "", "# States", "",
        "## A visit", "",
        *_diagram(visit_moves()), "",
        "The moves come from asking `domain/decide.py` which wish it grants for a visit in each",
        "state, an hour before the visit's time and an hour after, if nothing else blocks it.",
        "`move-visit` keeps the state. Kairos itself cancels a visit that had not begun when its",
        "phase or the pathway ended.", "",
        "## A delivery", "",
        *_diagram([(a, b, "") for a in DeliveryState for b in DeliveryState if b in MOVES[a]]), "",
        "From `MOVES` in `domain/delivery/words.py`; the ledger refuses every other move.",
        "What a person may do comes from asking `domain/delivery/resolve.py`, for a delivery that",
        "waits for a person; `supersede-as` is superseding with an `ehr_id`.", "",
        "| State | Means | Waits for | A person may |", "|---|---|---|---|",
        *(f"| `{state}` | {DELIVERY_STATES[state]} | {_waits_for(state)} | {_choices(state)} |"
          for state in DeliveryState), "",
        "A delivery that only a person can make, because the EHR cannot take it, is an `intent`",
        "that needs a person; so is one that waits for something no delivery will write. One whose",
        "lost answer cannot be resolved, or that cannot be read back, is an `unknown` that needs a",
        f"person. After {MOST_ATTEMPTS} attempts a person is asked about any delivery; attempts do",
        "not count while the EHR is away.",
        "", "## A command", "",
        *_diagram([(first, last, "") for first, *rest in [list(CommandState)] for last in rest]),
        "",
        "A command is committed to the inbox as `received` before it is sent to its pathway. It is",
        "settled once: `applied` by the transaction that stores its events, `rejected` with the",
        "reason.", "",
        "## A pathway", "",
        "`" + "` → `".join(PathwayStatus) + "`. Between `starting` and `open` lies the moment",
        "at which the workflow's first events are stored. A finished pathway has an outcome:",
        " or ".join(f"`{outcome}`" for outcome in PathwayOutcome) + ".", "",
    ])  # fmt: skip


def _waits_for(state: DeliveryState) -> str:
    if state in NEEDS_PERSON:
        return "a person"
    return "its lane" if state in OPEN else "nobody"


def _choices(state: DeliveryState) -> str:
    """Ask the domain what a person may decide about a delivery in this state."""
    waiting = Delivery(
        id=1,
        site_id=SiteId("site"),
        pathway_id=PathwayId("pathway-1"),
        connection_id=ConnectionId("ehr"),
        patient_id=EhrPatientId("patient"),
        event_id=EventId("event"),
        artefact="artefact",
        resource_type="Observation",
        action=Action.CREATE,
        body={},
        needs=(),
        state=state,
        needs_person=True,
        attempts=1,
        ehr_id=None,
        ehr_version=None,
        differences=(),
        reason=None,
        created_at=MOMENTS[0],
        changed_at=MOMENTS[0],
    )
    return ", ".join(f"`{choice.kind}`" for choice in possible(waiting))


def _diagram(moves: list[tuple[str, str, str]]) -> list[str]:
    """Draw moves as a Mermaid state diagram; a state's name may not hold a hyphen there."""
    names = dict.fromkeys(state for move in moves for state in move[:2])
    lines = [f'    state "{name}" as {_word(name)}' for name in names if _word(name) != name]
    for first, last, why in moves:
        lines.append(f"    {_word(first)} --> {_word(last)}" + (f" : {why}" if why else ""))
    final = [name for name in names if all(first != name for first, _, _ in moves)]
    begins = f"    [*] --> {_word(next(iter(names)))}"
    ends = [f"    {_word(name)} --> [*]" for name in final]
    return ["```mermaid", "stateDiagram-v2", begins, *lines, *ends, "```"]


def _word(name: str) -> str:
    return name.replace("-", "_")


def visit_moves() -> list[tuple[str, str, str]]:
    """Find every move of a visit: from, to, and what makes it move."""
    protocol = load_protocols(SHIPPED).combined("esketamine-then-dtms")
    found: dict[tuple[str, str, str], None] = {}
    for status in VisitStatus:
        pathway = _with_visit(protocol, status)
        for wish in WISHES:
            for now in MOMENTS:
                for event in _granted(protocol, pathway, wish, now):
                    found[status, _status(protocol, pathway, (event,)), wish.kind] = None
        over = replace(pathway, outcome=PathwayOutcome.STOPPED)
        ended = _status(protocol, over, automatic(protocol, over, MOMENTS[0]))
        found[status, ended, "the pathway has ended"] = None
    return [(first, last, why) for first, last, why in found if first != last]


def _status(protocol: CombinedProtocol, pathway: Pathway, events: tuple[Event, ...]) -> VisitStatus:
    """Say where the visit stands after these events."""
    return fold(pathway, events, protocol.vocabulary).visits[VISIT].status


def _with_visit(protocol: CombinedProtocol, status: VisitStatus) -> Pathway:
    """Make a pathway in its first phase, signed, with one visit in that state."""
    phase = protocol.phases[0].id
    arrived = MOMENTS[0] if status is VisitStatus.CHECKED_IN else None
    visit = Visit(VISIT, phase, 0, 1, AT, AT, status, checked_in=arrived)
    entered = MOMENTS[0] - timedelta(days=7)
    phases = {phase: Phase(entered, AT, signed=entered)}
    return Pathway(PathwayId("pathway-1"), phases=phases, visits={VISIT: visit})


def _granted(
    protocol: CombinedProtocol, pathway: Pathway, wish: Wish, now: datetime
) -> tuple[Event, ...]:
    command = Command(RequestId("request-1"), Author("somebody", Role.NURSE), wish)
    try:
        return decide(protocol, pathway, command, now)
    except (Refused, Conflict, Malformed):
        return ()


def settings_page() -> str:
    """List every setting of the API and the worker, and the keys of the installation file."""
    return "\n".join([
        GENERATED_BY, "", "# Settings", "",
        "Kairos's processes read these at their start, from the environment or from files of",
        "the same name in lower case under `/run/secrets` (`/run/secrets/kairos_database_url`).",
        "Without a required one a process stops. `./dev demo` and `./dev up` set all of them.",
        "", "## The API and the worker", "",
        "The migrations (`python -m store upgrade`) need `KAIROS_DATABASE_URL` alone.", "",
        *_table(Settings, "KAIROS_"),
        "## The API only", "", *_table(ApiSettings, "KAIROS_", beside=Settings),
        "## The installation file", "",
        "YAML with two lists, `sites` and `connections`, as in `deploy/installation.example.yaml`.",
        "No other key is allowed. An EHR's address comes from here and from nowhere else.", "",
        "### A site", "", *_table(Site),
        "### A connection", "", *_table(Connection),
    ])  # fmt: skip


def _table(
    model: type[BaseModel], prefix: str = "", beside: type[BaseModel] = BaseModel
) -> list[str]:
    """List a model's fields, but for those that it has from `beside`."""
    rows = ["| Name | Required | Default | Means |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name in beside.model_fields:
            continue
        shown = f"{prefix}{name.upper()}" if prefix else name
        default = "" if field.is_required() else f"`{_plain(field.default)}`"
        required = "yes" if field.is_required() else ""
        rows.append(f"| `{shown}` | {required} | {default} | {field.description or ''} |")
    return [*rows, ""]


def _plain(value: object) -> object:
    """Say where a file of this repository is without saying where the repository is."""
    return value.relative_to(ROOT) if isinstance(value, Path) else value


def pages() -> dict[str, str]:
    """Make every page of docs/reference, by its name."""
    return {
        "states.md": states_page(),
        "settings.md": settings_page(),
        "api.md": f"{GENERATED_BY}\n\n{api_page()}",
        "requests.md": f"{GENERATED_BY}\n\n{requests_page()}",
        "vendors.md": f"{GENERATED_BY}\n\n{vendors_page()}",
    }
