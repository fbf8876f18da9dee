"""The gate for bodies, on its own."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.edge.body import canonical, check_media_type, read_body
from api.edge.problems import Problem
from strict_json import DEEPEST

UNREADABLE = {
    "not JSON": b"{",
    "nothing": b"",
    "two values": b"{} {}",
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "huge exponent": b'{"a": 1e400}',
    "vanishing number": b'{"a": 1e-400}',
    "very long exponent": b'{"a": 1e' + b"9" * 5000 + b"}",
    "5000 digits": b'{"a": ' + b"1" * 5000 + b"}",
    "many zeros": b'{"a": 1' + b"0" * 5000 + b"}",
    "17 digits": b'{"a": 0.12345678901234567}',
    "same key twice": b'{"a": 1, "a": 1}',
    "same key twice, spelled otherwise": b'{"a": 1, "\\u0061": 2}',
    "same key twice, deep inside": b'[{"x": {"a": 1, "b": 2, "a": 3}}]',
    "deep lists": b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
    "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "open lists": b"[" * 200_000,
    "invalid UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "lone surrogate": b'{"a": "\\ud800"}',
    "lone surrogate in a key": b'{"\\udfff": 1}',
    "NUL": b'{"a": "\\u0000"}',
    "control character": b'{"a": "\x01"}',
    "single quotes": b"{'a': 1}",
    "comment": b"{} // a",
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_parsers_disagree_about_is_refused(case: str):
    """Each of these is a 400 that says why, quickly."""
    with pytest.raises(Problem) as refused:
        read_body(UNREADABLE[case])
    assert refused.value.name == "unreadable-body"


def test_what_everybody_reads_alike_is_taken():
    """Plain JSON comes through, with surrogate pairs, brackets in strings and its depth."""
    assert read_body(b'{"a": [1, 36.6, -0.5, 1e3, true, null, "[{\\"\\ud83d\\ude00"]}') == {
        "a": [1, 36.6, -0.5, 1000.0, True, None, '[{"\U0001f600'],
    }
    assert read_body(b"[" * DEEPEST + b"]" * DEEPEST)


@given(st.binary(max_size=200))
def test_noise_is_a_problem_or_a_value(noise: bytes):
    """Whatever comes, the gate answers with a value or a problem."""
    try:
        read_body(noise)
    except Problem:
        return


NUMBERS = st.integers(-(10**14), 10**14) | st.decimals(-300, 300, places=3).map(float)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | NUMBERS
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", max_size=3), inner),
    max_leaves=20,
)


@given(VALUES)
def test_plain_json_passes_unchanged(value: object):
    """What is not ambiguous is read as what was written."""
    assert read_body(json.dumps(value).encode()) == value


@given(st.dictionaries(st.text("abc", max_size=2), st.integers(0, 9)))
def test_equal_bodies_have_one_spelling(value: dict[str, int]):
    """Key order does not make another request."""
    assert canonical(value) == canonical(dict(reversed(value.items())))


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", 'application/json; charset="UTF-8"']
)
def test_json_in_utf8_is_taken(kind: str):
    """The media type is compared without case."""
    check_media_type(kind)


@pytest.mark.parametrize(
    "kind",
    [None, "", "text/plain", "application/xml", "application/fhir+json", "text/json",
     "application/json; charset=utf-16", "application/jsonx", "multipart/form-data"],
)  # fmt: skip
def test_any_other_media_type_is_not(kind: str | None):
    """Nothing else is guessed to be JSON."""
    with pytest.raises(Problem) as refused:
        check_media_type(kind)
    assert refused.value.status == 415
