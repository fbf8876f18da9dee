"""The small shapes that bodies are made of: ids, local times, instants and numbers."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from api.edge.parameters import not_known
from domain.language.clocks import LocalTime

Example = dict[str, Any]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,79}$")]
Short = Annotated[
    str,
    StringConstraints(
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]{1,64}$"
    ),
]
EventName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9/#_.-]{0,199}$")]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


# FHIR's strings hold no control character but a tab and the ends of lines; XML no U+FFFE, U+FFFF.
# What turns the direction of writing would show other words, or another dose, than those kept.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def _writable(value: str) -> str:
    """Take what every EHR can hold."""
    found = _CONTROL.search(value)
    if found is not None:
        code = f"U+{ord(found[0]):04X}"
        raise ValueError(f"must be plain text: it holds the control character {code}")
    return value


Writable = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_writable)]
Words = Annotated[Writable, StringConstraints(min_length=1, pattern=r"\S")]
YEARS = tuple(str(year) for year in range(1900, 2201))
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HOUR = re.compile(r"\d\d:\d\d", re.ASCII)


def _instant(value: Any) -> Any:
    """Read one way of writing only: a number of seconds, or of milliseconds, is never guessed."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("must be written as text, such as 2027-03-01T14:00:00-05:00")
    return _of_our_time(value)


def _day(value: Any) -> Any:
    """Read a day; a day with a time or an offset is not one."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be YYYY-MM-DD, such as 2027-03-01")
    return _of_our_time(value)


def _of_our_time(value: str) -> str:
    """Take a day or an instant of a year that can be meant; the calendar has ends beyond it."""
    if value[:4] not in YEARS:
        raise ValueError(f"must be of a year from {YEARS[0]} to {YEARS[-1]}")
    return value


def _number(value: Any) -> Decimal:
    """A JSON number as it was written; text is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a JSON number, without quotes")  # noqa: TRY004
    return Decimal(str(value))


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    Field(description="ISO 8601 with its offset from UTC; one without is refused"),
]
Moment = Annotated[AwareDatetime, BeforeValidator(_instant)]
Number = Annotated[
    Decimal,
    BeforeValidator(_number, json_schema_input_type=float),
]
Day = Annotated[date, BeforeValidator(_day)]


def _hour(value: Any) -> time:
    """Read HH:MM as the clinic's wall shows it."""
    try:
        if not isinstance(value, str) or not _HOUR.fullmatch(value):
            raise ValueError  # noqa: TRY301
        return time.fromisoformat(value)
    except ValueError:
        raise ValueError("must be HH:MM in the clinic's local time, such as 09:00") from None


Hour = Annotated[time, BeforeValidator(_hour, json_schema_input_type=str)]


class Body(BaseModel):
    """A request body: no field that is not known, and no value in any message."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    EXAMPLE: ClassVar[Example] = {}

    @model_validator(mode="before")
    @classmethod
    def _no_other_fields(cls, sent: Any) -> Any:
        """Name what is not known here, and what is: a slip is seen at once."""
        if isinstance(sent, dict):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            if others := [name for name in sent if name not in known]:
                raise ValueError(not_known(others, known))
        return sent


class WallTime(Body):
    """A day and a time of day at the clinic, in the site's time zone."""

    EXAMPLE: ClassVar[Example] = {"day": "2027-03-01", "hour": "09:00"}

    day: Day
    hour: Hour

    def local(self) -> LocalTime:
        """The same in the domain's words."""
        return LocalTime(self.day, self.hour)
