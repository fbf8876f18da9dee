"""What is remembered of a rule's last answer, and what is not."""

from domain.language.remembered import remembered
from domain.rules.reviews import unseen
from tests.domain import scenes

ALARMING = {"systolic_bp": 190, "diastolic_bp": 90, "spo2": 97}


def test_the_same_objects_are_asked_about_once():
    """A rule is worked out once for the very same things, and anew for equal ones."""
    asked: list[str] = []

    def rule(first: list[str], second: list[str]) -> str:
        asked.append("")
        return "".join(first + second)

    once, one, two = remembered(rule), ["a"], ["b"]
    assert [once(one, two), once(one, second=two), once(one, list(two))] == ["ab"] * 3
    assert len(asked) == 2


def test_another_state_has_an_answer_of_its_own():
    """Two states in turn: each has its own answer, whichever was asked about last."""
    course = scenes.dosed()
    before = course.pathway
    course.measure(scenes.ONE, **ALARMING)
    after = course.pathway
    for _ in range(2):
        assert not unseen(course.protocol, before)
        assert unseen(course.protocol, after)
