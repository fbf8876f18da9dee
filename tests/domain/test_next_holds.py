"""What is next stays what is next until the pathway is due to look again, by the minute."""

from datetime import timedelta

import pytest

from domain.due import A_MINUTE, next_due
from domain.planner import steps
from tests.course import Course
from tests.domain.scenes import checked_in, dosed, ready

SCENES = {"here": checked_in, "ready": ready, "dosed": dosed}
LONGEST = timedelta(hours=40)
STEP = timedelta(minutes=7)


def first(course: Course) -> str:
    """What the lists would say is next."""
    return steps(course.protocol, course.pathway, course.now)[0].says


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_next_does_not_change_before_the_pathway_looks_again(scene: str):
    """A reading that grows too old, a window, midnight: each is a time at which it looks."""
    course = SCENES[scene]()
    over = course.now + LONGEST
    while course.now < over:
        said, due = first(course), next_due(course.protocol, course.pathway, course.now)
        while course.now + STEP < due - A_MINUTE and course.now < over:
            course.now += STEP
            assert first(course) == said, course.now
        course.now = due
        course.run_rules()
