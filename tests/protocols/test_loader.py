"""The shipped protocols load, other courses are data alone, and nothing clinical has a default."""

from datetime import timedelta
from decimal import Decimal

import pytest

from domain.language.errors import Malformed
from domain.language.names import ObservationName, PhaseId
from domain.language.protocol import Period, Rate, Stage, Status, When
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Compared
from protocols.loader import SHIPPED, load_protocols
from tests.protocols.protocol_folder import ESK, TMS, WAY, copied, problems


@pytest.fixture(scope="module")
def book():
    """Load the shipped protocols once."""
    return load_protocols(SHIPPED)


@pytest.fixture
def folder(tmp_path):
    """Give a copy of the shipped protocols, lock included."""
    return copied(tmp_path)


def test_shipped_protocols_are_approved_and_marked_illustrative(book):
    """What the demo runs may be started, and says of itself that it is not for care."""
    for found in (*book.phases, *book.all()):
        assert found.status is Status.APPROVED
        assert found.illustrative
        assert "synthetic" in found.approved_by[0].name


def test_induction_is_what_the_label_says(book):
    """Induction is 8 sessions twice a week, 56 mg first, blood pressure a soft gate."""
    induction = book.combined("esketamine-then-dtms").phase(PhaseId("esketamine-induction"))
    assert induction.schedule.stages == (Stage(8, Rate(2, 1, Period.WEEK)),)
    assert induction.dose.first_mg == 56
    assert induction.dose.devices == {56: 2, 84: 3}
    pressure = next(gate for gate in induction.gates if gate.id == "blood-pressure-before")
    assert pressure.overridable
    assert pressure.require[0] == Requirement(
        ObservationName("systolic_bp"), Compared.AT_MOST, Decimal(140)
    )
    assert {gate.id for gate in induction.gates if not gate.overridable} == {
        "adult",
        "consent",
        "rems-enrolled",
        "contraindications",
        "baseline",
        "fit-to-leave",
    }


def test_the_pathway_joins_its_phases(book):
    """The pathway pins each phase's version and the days between, and forbids a shared day."""
    way = book.combined("esketamine-then-dtms", 1)
    assert [phase.id for phase in way.phases] == [
        "esketamine-induction",
        "accelerated-dtms",
        "maintenance",
    ]
    assert way.days_between == (2, 2)
    assert not way.same_day
    assert way.phases[1].schedule.gap_between_sessions == timedelta(minutes=50)
    assert way.phases[2].schedule.stages[-1].sessions is None
    assert way.phases[2].dose.first_mg == 0
    assert all(phase.gates_at(When.AT_PHASE_END) for phase in way.phases)


def test_loading_twice_gives_the_same(book):
    """The loader is deterministic, down to the hash of the rule book."""
    assert load_protocols(SHIPPED) == book


def test_an_unknown_pathway_is_named_with_what_there_is(book):
    """Asking for a pathway or version that is not there lists those that are."""
    assert book.approved() == book.all()
    with pytest.raises(Malformed, match="version 9; there are: esketamine-then-dtms version 1"):
        book.combined("esketamine-then-dtms", 9)
    with pytest.raises(Malformed, match="there is no pathway another"):
        book.combined("another")


def test_a_draft_version_does_not_hide_the_approved_one(folder):
    """Without a version, the newest approved pathway is found, not a newer draft."""
    text = (folder / WAY).read_text().replace("version: 1\n", "version: 2\n", 1)
    text = text.replace("status: approved", "status: draft")
    draft = "\n".join(line for line in text.splitlines() if "Dr. Demo" not in line)
    (folder / "next.yaml").write_text(draft.replace("approved_by:", "approved_by: []"))
    book = load_protocols(folder)
    assert book.combined("esketamine-then-dtms").version == 1
    assert book.combined("esketamine-then-dtms", 2).status is Status.DRAFT
    assert len(book.approved()) == 1


def course(text: str, stages: str, *changes: tuple[str, str]) -> str:
    """Write another deep TMS course as a draft: other stages, and other changes to the text."""
    for old, new in [
        ("{sessions: 30, rate: 5 per day, days: 6}", stages),
        ("protocol: accelerated-dtms", "protocol: another-course"),
        ("status: approved", "status: draft"),
        ("approved_by:\n  - {", "approved_by: []\n#"),
        *changes,
    ]:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_the_standard_course_is_data_alone(folder):
    """20 sessions on weekdays, then twice a week for 12 weeks, need no change of code."""
    (folder / "other.yaml").write_text(
        course(
            (folder / TMS).read_text(),
            "{sessions: 20, rate: 5 per week}\n    - {weeks: 12, rate: 2 per week}",
            ("  gap_between_sessions", "  #"),
            ("finish_within: 2 weeks", "finish_within: 20 weeks"),
        )
    )
    found = next(p for p in load_protocols(folder).phases if p.id == "another-course")
    assert found.schedule.stages == (
        Stage(20, Rate(5, 1, Period.WEEK)),
        Stage(24, Rate(2, 1, Period.WEEK)),
    )
    assert [stage.visits for stage in found.schedule.stages] == [20, 24]


def test_ten_a_day_for_five_days_is_data_alone(folder):
    """50 sessions in five days with 50 minutes between them need no change of code."""
    (folder / "other.yaml").write_text(
        course(
            (folder / TMS).read_text(),
            "{sessions: 50, rate: 10 per day, days: 5}",
            ("visit_length: 330 min", "visit_length: 10 hours"),
        )
    )
    found = next(p for p in load_protocols(folder).phases if p.id == "another-course")
    assert found.schedule.stages == (Stage(50, Rate(10, 1, Period.DAY)),)
    assert found.schedule.stages[0].visits == 5
    assert found.schedule.gap_between_sessions == timedelta(minutes=50)


def test_a_pathway_of_one_phase_is_data_alone(folder):
    """Deep TMS by itself joins nothing and says nothing about esketamine."""
    (folder / "other.yaml").write_text(
        "pathway: dtms-alone\nversion: 3\ntitle: Deep TMS\nstatus: draft\napproved_by: []\n"
        "illustrative: nothing\nsources: {clinic: our own}\nphases: [accelerated-dtms version 1]\n"
        "vocabulary: clinic-vocabulary version 1\n"
        "same_day: never\nnext_phase: prescriber decides\n"
    )
    found = load_protocols(folder).combined("dtms-alone")
    assert [phase.id for phase in found.phases] == ["accelerated-dtms"]
    assert found.days_between == ()
    assert found.illustrative == ""


UNPUBLISHED = [
    *((TMS, key) for key in ("coil", "target", "intensity", "frequency", "pulses")),
    *((TMS, key) for key in ("gap_between_sessions", "at_least_apart", "may_move_by", "missed")),
    *((TMS, key) for key in ("finish_within", "plan_ahead", "visit_length", "measured_within")),
    *((ESK, key) for key in ("at_least_apart", "may_move_by", "missed", "measured_within")),
    *((ESK, key) for key in ("first", "then", "devices", "illustrative", "between", "record")),
    *((WAY, key) for key in ("same_day", "esketamine_during_dtms", "next_phase", "phases")),
    (WAY, "esketamine-induction to accelerated-dtms"),
    ("maintenance.yaml", "review_every"),
]


@pytest.mark.parametrize(("file", "key"), UNPUBLISHED)
def test_what_nobody_published_has_no_default(folder, file, key):
    """Leaving out a figure that is the clinic's choice is a problem that names it."""
    lines = (folder / file).read_text().splitlines()
    place = next(n for n, line in enumerate(lines) if line.strip().startswith(f"{key}:"))
    deeper = len(lines[place]) - len(lines[place].lstrip()) + 1
    end = place + 1
    while end < len(lines) and lines[end].startswith(" " * deeper):
        end += 1
    (folder / file).write_text("\n".join(lines[:place] + lines[end:]))
    assert any(f"{key}: missing; it has no default" in line for line in problems(folder))
