"""Every way in which a protocol can be wrong is reported with its file, its line and the remedy."""

import pytest

from tests.protocols.protocol_folder import (
    ESK,
    MAINT,
    TMS,
    VOC,
    WAY,
    Wrong,
    check_told,
    copied,
    freeze_as_it_is,
    problems,
    spoil,
)

BP = "systolic_bp: at most 140 mmHg"
STAGE = "{sessions: 30, rate: 5 per day, days: 6}"
AHEAD = "allows: {phq9_item9: at most 1 points}"
VOID = "void_if: {madrs_item10: above 3 points, cssrs_tier: above 1 of 3}"
RISES = "then: [medical-director within 1 hour]"
RIDE = "    why: How the patient gets home"
RIDE_AHEAD = "    standing: {for_at_most: 2 days, allows: {ride_home: is arranged}}\n" + RIDE
STOP_AHEAD = (
    "otherwise: stop\n"
    "    standing: {for_at_most: 2 days, allows: {rems_enrolment: is confirmed}}\n    why: An"
)
TWO_SCORES = "{madrs_total: at most 10 points, phq9_total: at most 4 points}"
TWO = "{sessions: 8, rate: 2 per week}"
OPEN = "{open: until decided, rate: 1 per 2 weeks}"
SPO2 = "record: [systolic_bp, diastolic_bp, spo2, sedation_moaas, dissociation_cadss]"

WRONG: list[Wrong] = [
    (ESK, "version: 1\n", "version: 1\nversion: 2\n", "version: 2", "it is already on line"),
    (ESK, "measured_within: 7 days", "measured_witin: 7 days", "witin", "did you mean measured_w"),
    (ESK, "    source: rems\n", "", "rems-enrolled:", "rems-enrolled.source: missing"),
    (ESK, BP, "systolic_bp: at most 140", "most 140", 'no unit: write "140 mmHg"'),
    (ESK, BP, "systolic_bp: at most 18.7 kPa", "kPa", 'wrong unit: write "18.7 mmHg"'),
    (ESK, BP, "systolic_bp: at most 1,4 mmHg", "1,4", "not a number and its unit"),
    (ESK, BP, "systolic_bp: not too high", "too high", "is not a requirement: write at most"),
    (ESK, BP, "systolic_bp: is low", "is low", "is a number of mmHg: write at most"),
    (ESK, BP, "systolic_bp: at most 400 mmHg", "400", "physically impossible"),
    (ESK, BP, "pulse: at most 90 per min", "pulse:", "pulse is not in vocabulary.yaml"),
    (ESK, "is arranged", "yes", "ride_home: yes", "a bare yes is ambiguous"),
    (ESK, "{esketamine_consent: is signed}", "on", "require: on", "a bare on is ambiguous"),
    (ESK, "title: Esk", "title: # Esk", "title: #", "title: has no value"),
    (ESK, "is arranged", "is sorted", "is sorted", 'write "is arranged" or "is not arranged"'),
    (ESK, "is arranged", "at most 1 ride", "1 ride", "is not an answer of the vocabulary"),
    (ESK, "    source: rems", "    source: web", "source: web", "not among the sources above: lab"),
    (ESK, "status: approved", "status: agreed", "agreed", "not one of: draft, approved, retired"),
    (ESK, "status: approved", "status: draft", "approved_by:", "a draft is approved by nobody"),
    (ESK, "date: 2026-11-24", "date: 24.11.2026", "24.11", "not a date such as 2026-11-24"),
    (ESK, "date: 2026-11-24", "date: 2026-13-01", "2026-13", "not a date such as 2026-11-24"),
    (ESK, "protocol: esket", "protocol: Esket", "Esket", "small letters, digits and single hyph"),
    (ESK, "  suicide-risk:", "  Suicide_Risk:", "Suicide_Risk", "small letters, digits and sing"),
    (ESK, "[prescriber]", "[kairos]", "kairos", "kairos cannot order treatment"),
    (ESK, "[prescriber]", "[]", "ordered_by", "must name at least one"),
    (ESK, "[prescriber]", "prescriber", "ordered_by", "must be a list such as"),
    (ESK, "days: weekdays", "days: mostly", "mostly", "not one of: weekdays, every day"),
    (ESK, "otherwise: stop", "otherwise: keep observing", "keep obs", "possible only after each v"),
    (ESK, "when: after each visit", "when: before each visit", "minutes_obs", "known only after"),
    (ESK, "6 weeks             # clinic: af", "3 weeks # af", "3 weeks", "the stages take 4 weeks"),
    (ESK, TWO, "{sessions: 8, rate: 5 per week}", "at_least_apart", "proposed 1 day apart, not 2"),
    (ESK, TWO, "{sessions: 8, rate: twice weekly}", "twice", "is not a rate: write"),
    (ESK, TWO, "{sessions: none, rate: 2 per week}", "none", "not a whole number, 1 or more"),
    (ESK, TWO, "{sessions: 8, weeks: 4, rate: 2 per week}", "weeks: 4", "in exactly one way"),
    (ESK, TWO, "{sessions: 8, days: 4, rate: 2 per week}", "days: 4", "belongs to a rate per day"),
    (ESK, TWO, "{weeks: 3, rate: 1 per 2 weeks}", "weeks: 3", "cannot be divided into periods"),
    (ESK, "- " + TWO, "", "stages:", "stages: has no value"),
    (ESK, "missed: book", "review_every: 4 weeks\n  missed: book", "review", "only an open phase"),
    (ESK, "missed: book", "gap_between_sessions: 5 min\n  missed: book", "gap", "no stage here"),
    (ESK, "drug: esketamine", "drug: ketamine", "ketamine", "not among the drugs of vocabulary"),
    (ESK, "first: 56 mg", "first: 56", "first: 56", 'no unit: write "56 mg"'),
    (ESK, "first: 56 mg", "first: 28 mg", "devices:", "each dose takes: 28 mg, 56 mg, 84 mg"),
    (ESK, "\ndose:", "\nstimulation: {coil: H1}\ndose:", "stimulation", "has a dose, not a stim"),
    (ESK, "[35 min, 60 min]", "[60 min, 35 min]", "[60", "the earliest and the latest"),
    (ESK, "first device\n", "second device\n", "second device", 'today, only "first device"'),
    (ESK, SPO2, "record: [minutes_observed]", "record:", "is derived and cannot be recorded"),
    (ESK, SPO2, "record: [spo2, spo2]", "record:", "names an observation twice"),
    (
        ESK,
        "readings-at-40-minutes:",
        "suicide-risk:",
        "timed_checks:",
        "is the id of a gate as well",
    ),
    (ESK, "title: Esk", "title: &a Esk", "&a", "write values out instead of &a"),
    (ESK, "title: Esk", "title: !x Esk", "!x", "the tag !x is not used here"),
    (ESK, "[56 mg, 84 mg]", "*doses", "*doses", "write the value out instead of *doses"),
    (ESK, "timed_checks:", "---\nprotocol: b\n---", "---", "one file, one protocol"),
    (ESK, "dose:", "dose: {", "first: 56", "not YAML: "),
    (ESK, "illustrative: ", "illustrative: {a: b} #", "{a: b}", "must be one value"),
    (ESK, "approved_by:\n  - {", "approved_by: [me]\n#", "[me]", "must be a list of blocks"),
    (TMS, STAGE, "{sessions: 30, rate: 5 per day, days: 5}", "days: 5", "5 per day take 6 days"),
    (TMS, STAGE, "{sessions: 30, rate: 5 per day}", "5 per day", "days: missing"),
    (TMS, STAGE, "{weeks: 2, rate: 5 per day, days: 6}", "weeks", "needs sessions and days inst"),
    (TMS, "  gap_between_sessions", "  #", "schedule:", "gap_between_sessions: missing; it has"),
    (TMS, "visit_length: 330", "visit_length: 200", "visit_length", "short for 5 sessions and"),
    (TMS, "require: {motor_threshold", "require: {spo2", "gates:", "motor_threshold, measured wit"),
    (TMS, "frequency: 18 Hz", "frequency: 0 Hz", "0 Hz", "must be above 0 Hz"),
    (TMS, "intensity: 120", "intensity: 1.5", "1.5", "must be a whole number, 1 or more"),
    (TMS, "\ngates:", "\ntimed_checks: {a: b}\ngates:", "timed_checks", "deep TMS has none"),
    (TMS, "treatment: dtms", "treatment: ect", "ect", "not one of: esketamine, dtms"),
    (MAINT, "  review_every", "  #", "schedule:", "review_every: missing; it has no default"),
    (MAINT, OPEN, "{open: for now, rate: 1 per 2 weeks}", "for now", 'only "until decided"'),
    (MAINT, "- {weeks: 4", "- {open: until decided", "rate: 1 per week", "only the last stage may"),
    (MAINT, "missed:", "finish_within: 9 weeks\n  missed:", "finish", "no end to keep"),
    (
        WAY,
        "- maintenance version 1",
        "- upkeep version 1",
        "phases:",
        "no file has the protocol up",
    ),
    (WAY, "- maintenance version 1", "- maintenance", "- maintenance", "its version: "),
    (WAY, "- maintenance ver", "- accelerated-dtms ver", "phases:", "a phase is listed twice"),
    (WAY, "dtms to main", "dtms to mian", "mian", "did you mean"),
    (WAY, "dtms: at least 2 days", "dtms: 2 days", "dtms: 2", "must say the fewest days"),
    (WAY, "dtms: at least 2 days", "dtms: at least 0 days", "0 days", "same_day: never forbids"),
    (WAY, "same_day: never", "same_day: sometimes", "sometimes", "not one of: never, allowed"),
    (WAY, "dtms: pause", "dtms: weekly", "weekly", 'not supported today, only "pause"'),
    (WAY, "prescriber decides", "automatically", "automatically", "no phase begins by itself"),
    (
        VOC,
        "{title: Lassitude, code: local}",
        "{title: L, code: x}",
        "code: x",
        "must be local, none",
    ),
    (ESK, "version: 1\n", "{a: b}: 1\nversion: 1\n", "{a: b}", "a key must be a word"),
    (
        ESK,
        "approved_by:\n  - {",
        "approved_by: []\n#",
        "approved_by",
        "approved, but nobody is nam",
    ),
    (ESK, AHEAD, "allows: {phq9_item9: at most 0 points}", "allows", "and a wider number"),
    (ESK, AHEAD, "allows: {phq9_item9: at least 1 points}", "allows", "with the same words"),
    (ESK, AHEAD, "allows: {phq9_total: at most 9 points}", "allows", "one that the gate requires"),
    (ESK, AHEAD, "allows: {phq9_item9: at most 3 points}", "allows", "every value there is"),
    (ESK, VOID, "void_if: {madrs_reduction: below 0 percent}", "void_if", "that is recorded"),
    (ESK, VOID, "void_if: {phq9_item9: above 1 points}", "void_if", "beyond that it ends anyway"),
    (ESK, VOID, "void_if: {spo2: recorded}", "void_if", "must compare something"),
    (ESK, "for_at_most: 14 days", "for_at_most: 52 weeks", "52 weeks", "longer than 90 days"),
    (ESK, RISES, "then: [medical-director within 3 weeks]", "3 weeks", "nobody would wait"),
    (ESK, "within: 1 hour\n", "within: 52 weeks\n", "52 weeks", "nobody would wait"),
    (ESK, AHEAD, "allows: {}", "allows", "must require something"),
    (ESK, "for_at_most: 14 days", "for_at_most: 14", "for_at_most", "has no unit"),
    (ESK, "for_at_most: 14 days", "for: 14 days", "for: 14", "unknown key; known: allows"),
    (ESK, RIDE, RIDE_AHEAD, "standing:", "wider number"),
    (ESK, "otherwise: stop\n    why: An", STOP_AHEAD, "standing:", "may override is not decided"),
    (ESK, "at least 50 percent}\n    asks", "at least 50}\n    asks", "50}", "has no unit"),
    (ESK, "{madrs_total: at most 10 points}", "{spo2: at most 90 %}", "spo2", "must compare a sco"),
    (ESK, "{madrs_total: at most 10 points}", TWO_SCORES, "phq9", "must be about one score"),
    (ESK, "after: [response, rem", "after: [recovery, rem", "recovery", "is not defined above"),
    (ESK, "    asks: nobody\n    why: Half", "    why: Half", "response:", "asks: missing"),
    (ESK, "asks: nobody\n    why: Half", "asks: a nurse\n    why: Half", "nurse", "is not one of"),
    (ESK, "\ncourse: ", "\nhistory: ", "protocol:", "course: missing; it has no default"),
    (ESK, RISES, "then: [nurse within 1 hour]", "then", "does not say who it escalates to"),
    (ESK, RISES, "then: [medical-director]", "then", 'write "medical-director within 2 hours"'),
    (ESK, RISES, "then: [medical-director within 1]", "then", "has no unit"),
    (ESK, RISES, "then: []", "then", "then"),
    (ESK, f"    {RISES}\n", "", "moderate:", "then: missing; it has no default"),
    (ESK, "at least 3 of 3", "at least 3", "cssrs_tier: at least 3", "has no unit"),
    (ESK, "item9: at least 2", "item9: at least 3", "any_of", "is high already"),
    (ESK, "is moderate", "is high", "any_of", "is high already"),
    (ESK, "suicide_risk: is moderate", "suicide_risk: recorded", "any_of", "must compare"),
    (ESK, "suicide_risk: is moderate", "madrs_reduction: below 0 percent", "any", "is recorded"),
    (ESK, "[treatment, leaving]", "[leaving]", "holds", "must be [treatment] or ["),
    (ESK, "[treatment, leaving]", "[driving]", "driving", "not one of: treatment, leaving"),
    (ESK, "[suicide_risk]", "[cssrs_tier]", "also_record", "nothing that vocabulary"),
    (ESK, "[suicide_risk]", "[ride_home]", "also_record", "who is told if nobody has"),
    (ESK, "hastens: nothing", "hastens: everything", "everything", "not one of: the first"),
    (ESK, "    hastens: nothing\n", "", "low:", "hastens: missing; it has no default"),
    (ESK, "[week 2, end", "[week, end", "week", "is not a moment: write week 4"),
    (ESK, "[week 2, end of the phase]", "[every review]", "at", 'has no "every review"'),
    (ESK, "[week 2, end", "[week 2, week 2, end", "week 2", "names a moment twice"),
    (ESK, "score: madrs_total", "score: spo2", "spo2", "is not the total of a scale"),
    (MAINT, "[every review]", "[end of the phase]", "at", 'no "end of the phase"'),
    (ESK, "  open-hold:", "  open-holds:", "safety_tasks", "open-hold: missing"),
    (ESK, "{esketamine_consent: is signed}", "{}", "require: {}", "must require something"),
    (ESK, "[prescriber]", "[[prescriber]]", "ordered_by", "must be a list of words"),
    (ESK, "visit_length: 180 min", "visit_length: 0.5 min", "0.5", "a whole number of min, 1 or"),
    (ESK, "visit_length: 180 min", "visit_length: 9999 weeks", "9999", "longer than any treatment"),
    (ESK, "plan_ahead: 6 weeks", "plan_ahead: 0 weeks", "0 weeks", "a whole number of weeks, 1 or"),
    (ESK, "plan_ahead: 6 weeks", "plan_ahead: 9999 weeks", "9999", "longer than any treatment"),
    (ESK, "84 mg: 3}", "84 mg: 3, 112: 4}", "112", 'devices.112: "112" has no unit'),
    (ESK, TWO, "{sessions: 8, rate: 2 per day, days: 4}", "schedule:", "once in a visit, never"),
    (ESK, TWO, "{weeks: often, rate: 2 per week}", "often", "not a whole number, 1 or more"),
    (ESK, "stages:\n    - " + TWO, "stages: []", "stages", "must have at least one stage"),
    (MAINT, OPEN, "{open: until decided, rate: 1 per day}", "1 per day", "needs a number of sess"),
]


@pytest.fixture
def folder(tmp_path):
    """Give a copy of the shipped protocols that may be spoiled."""
    return copied(tmp_path)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[0]}: {wrong[4]}")
def test_a_problem_is_told_with_its_file_and_line(folder, wrong):
    """What is wrong is reported at the line where it stands, with what would be right."""
    check_told(folder, wrong)


def test_ten_problems_in_one_file_are_ten_lines(folder):
    """All problems are told at once, each once, in the order of their lines."""
    for old, new in [
        ("title: Esk", "title: # Esk"),
        ("[prescriber]", "[kairos]"),
        ("days: weekdays", "days: mostly"),
        ("may_move_by: 1 day ", "may_move_by: 1 "),
        ("first: 56 mg", "first: 56"),
        ("    source: rems\n", ""),
        ("arteriovenous_malformation: is absent", "arteriovenous_malformation: is unlikely"),
        (BP, "systolic_bp: at most 140"),
        ("dissociation_cadss: at most 4 points", "dissociation_cadss: no"),
        ("measured_within: 7 days          # clinic\n    otherwise: ask", "otherwise: ask"),
    ]:
        spoil(folder / ESK, old, new)
    freeze_as_it_is(folder)
    told = problems(folder)
    assert len(told) == 10, "\n".join(told)
    numbers = [int(line.split(":")[1]) for line in told]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 10


def test_problems_of_all_files_are_told_at_once(folder):
    """One run names what is wrong in every file."""
    spoil(folder / ESK, BP, "systolic_bp: at most 140")
    spoil(folder / TMS, "pulses: 1980", "pulses: some")
    spoil(folder / WAY, "same_day: never", "same_day: sometimes")
    freeze_as_it_is(folder)
    assert [line.split(":")[0] for line in problems(folder)] == [TMS, WAY, ESK]


def test_files_that_cannot_be_read_are_told(folder):
    """An empty file, a wrong name, a wrong first key and text that is not UTF-8 are reported."""
    (folder / "empty.yaml").write_text("# nothing yet\n")
    (folder / "list.yaml").write_text("- one\n")
    (folder / "other.yaml").write_text("recipe: soup\n")
    (folder / "second.yml").write_text("protocol: second\n")
    (folder / "latin.yaml").write_bytes("title: Käfer".encode("latin-1"))
    (folder / "control.yaml").write_text("title: a\x07b\n")
    (folder / VOC).unlink()
    told = "\n".join(problems(folder))
    for said in (
        "empty.yaml:1: the file is empty",
        "list.yaml:1: the file must be keys and values",
        "other.yaml:1: must begin with protocol: or pathway:",
        "second.yml:1: is not read: its name must end in .yaml",
        "latin.yaml:1: not UTF-8 text, from byte 8 on",
        "control.yaml:1: not YAML",
        "vocabulary.yaml:1: there is no vocabulary.yaml",
    ):
        assert said in told
    assert "is not in vocabulary.yaml" not in told
