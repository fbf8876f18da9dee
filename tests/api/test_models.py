"""The shapes of requests: exact numbers, wall times, no unknown field, and nothing echoed."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.commands.catalogue.observations import Measured, RecordAssessment
from api.commands.words import Body, WallTime
from api.edge.body import read_body
from api.edge.problems import of_validation
from api.reading.rendering import task_address, task_at
from domain.language.names import TaskId
from tests.api.service import BODIES


@given(st.decimals(-300, 300, places=4, allow_nan=False))
def test_a_number_is_kept_as_it_was_written(value: Decimal):
    """A JSON number becomes exactly the decimal that was written."""
    text = b'{"observation": "spo2", "value": ' + str(value).encode() + b', "unit": "%"}'
    assert Measured.model_validate(read_body(text)).value == value


@pytest.mark.parametrize("value", ["128", True, [1], {"a": 1}])
def test_what_is_no_number_is_not_made_one(value: Any):
    """Text, truth values and lists are not numbers."""
    with pytest.raises(ValidationError, match="JSON number"):
        Measured.model_validate({"observation": "spo2", "value": value})


@pytest.mark.parametrize(
    "hour",
    [
        "9:00",
        "09:00:00",
        "09:00Z",
        "25:00",
        "09:60",
        900,
        None,
        "09:00 ",
        "0900",
        "0900Z",
        "09+05",
        "T0900",
    ],
)
def test_an_hour_is_hours_and_minutes_on_the_wall(hour: Any):
    """Seconds, zones and other spellings of an hour are refused."""
    with pytest.raises(ValidationError, match="HH:MM"):
        WallTime.model_validate({"day": "2027-03-01", "hour": hour})


@pytest.mark.parametrize(
    "day", ["2027-3-1", "1796083200", "2027-03-01T00:00:00+14:00", "20270301", 20270301, None]
)
def test_a_day_is_written_in_one_way(day: Any):
    """A day with a time, an offset or another spelling is refused, and told how one is written."""
    with pytest.raises(ValidationError, match="YYYY-MM-DD"):
        WallTime.model_validate({"day": day, "hour": "09:00"})


@pytest.mark.parametrize(
    "at",
    [1_800_000_000, 1.5, None, "yesterday", "2027-13-01T00:00:00Z", "1795791600", "20270301T10Z"],
)
def test_an_instant_is_written_out(at: Any):
    """Seconds since some epoch are not a clinical time."""
    with pytest.raises(ValidationError):
        RecordAssessment.model_validate(
            {"scale": "phq9", "assessed_at": at, "items": [0, 0, 0, 0, 0, 0, 0, 0, 0]}
        )


@pytest.mark.parametrize("shape", BODIES)
def test_no_shape_takes_a_field_that_it_does_not_know(shape: type[Body]):
    """An unknown field is refused; what cannot be a name of ours and its value are not repeated."""
    with pytest.raises(ValidationError) as wrong:
        shape.model_validate({**shape.EXAMPLE, "Ottoline": "Featherstone"})
    errors = [{**e, "loc": ("body", *e["loc"])} for e in wrong.value.errors()]
    problem = of_validation(errors).view()
    assert problem.errors[0].pointer == "#"
    assert "not known here" in problem.errors[0].detail
    assert "Ottoline" not in problem.model_dump_json() + str(wrong.value).partition("\n")[0]


@pytest.mark.parametrize("shape", BODIES)
def test_an_unknown_field_is_named_with_the_known_ones(shape: type[Body]):
    """Who wrote `words` for `note` sees it at once; the value is not repeated."""
    with pytest.raises(ValidationError) as wrong:
        shape.model_validate({**shape.EXAMPLE, "a_slip": "Featherstone"})
    (error,) = wrong.value.errors()
    told = of_validation([{**error, "loc": ("body", *error["loc"])}]).view().errors[0]
    assert told.pointer == "#"
    assert told.detail.startswith("a_slip is not known here")
    assert all(name in told.detail for name in shape.model_fields)
    assert "Featherstone" not in told.detail


@pytest.mark.parametrize("shape", BODIES)
def test_a_missing_field_is_pointed_at(shape: type[Body]):
    """What is missing is named by a JSON pointer."""
    for name, field in shape.model_fields.items():
        if not field.is_required():
            continue
        body = {key: value for key, value in shape.EXAMPLE.items() if key != name}
        with pytest.raises(ValidationError) as wrong:
            shape.model_validate(body)
        errors = [{**e, "loc": ("body", *e["loc"])} for e in wrong.value.errors()]
        assert of_validation(errors).view().errors[0].pointer == f"#/{name}"


@pytest.mark.parametrize(
    "task",
    ["sign-order/esketamine-induction#1", "clear-gate/a-visit-1/blood-pressure#12", "review/m/2#1"],
)
def test_a_tasks_address_leads_back_to_it(task: str):
    """The id in an address needs no escaping and names the same task."""
    address = task_address(task)
    assert not set(address) & set("/#?%")
    assert task_at(address) == TaskId(task)
