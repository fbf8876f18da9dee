"""JSON as no server should write it, for readers that must not break."""

from hypothesis import strategies as st

LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["2027", "2027-03", "9999-12-31", "official", "old", "\ud83d", "active"])
)
NAMES = st.sampled_from(
    [
        "use",
        "text",
        "family",
        "given",
        "period",
        "start",
        "end",
        "system",
        "value",
        "code",
        "coding",
        "reference",
        "other",
        "type",
        "identifier",
        "security",
        "status",
        "reaction",
        "substance",
        "contained",
        "id",
        "resourceType",
        "unit",
    ]
)
ANYTHING = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)
