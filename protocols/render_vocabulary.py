"""The page of everything that may be observed: titles, units, ranges, answers and codes."""

from domain.language.chart import ChartSign
from domain.language.vocabulary import Code, ObservationKind, Scale, Vocabulary
from protocols.codes import LOCAL, SYSTEMS

_SHORT = {url: name for name, url in SYSTEMS.items()} | {LOCAL: "local"}


def vocabulary_page(vocabulary: Vocabulary) -> str:
    """Write the page of the vocabulary."""
    lines = ["<!-- Generated from the protocols by `./dev docs`; do not edit. -->", ""]
    lines += ["# What may be observed", ""]
    signed = f"`{vocabulary.id}` version {vocabulary.version}, signed like a protocol."
    lines += [signed, ""]
    lines += ["A code is `local` where no published code could be verified.", ""]
    lines += ["| Name | What it is | Value | Recorded by | A prescriber sees | Code |"]
    lines += ["|---|---|---|---|---|---|"]
    lines += [_row(kind) for kind in vocabulary.observations.values()]
    lines += ["", "## Scales", ""]
    for scale in vocabulary.scales.values():
        lines += _scale(scale)
    if vocabulary.chart:
        lines += ["## What the EHR's chart answers by itself", ""]
        lines += ["It answers yes and never no: no list is whole, and charts are incomplete.", ""]
        lines += ["| Answer | In | Codes | When |", "|---|---|---|---|"]
        lines += [_sign(sign, vocabulary) for sign in vocabulary.chart]
        lines.append("")
    lines += ["## Drugs and diagnoses", "", "| Name | Code |", "|---|---|"]
    for name, code in (*vocabulary.drugs.items(), *vocabulary.diagnoses.items()):
        lines.append(f"| {name} | {_code(code)} {code.display} |")
    return "\n".join(lines) + "\n"


def _row(kind: ObservationKind) -> str:
    value = " or ".join(kind.answers) or f"{kind.low} to {kind.high} {kind.unit}"
    by = ", ".join(kind.recorded_by) or "derived"
    if kind.said_otherwise_by:
        by += f"; once it stops treatment, otherwise by {', '.join(kind.said_otherwise_by)} only"
    panel = f", in panel {_code(kind.panel)}" if kind.panel is not None else ""
    seen = _alert(kind)
    return f"| `{kind.name}` | {kind.title} | {value} | {by} | {seen} | {_code(kind.code)}{panel} |"


def _sign(sign: ChartSign, vocabulary: Vocabulary) -> str:
    title = vocabulary.kind(sign.observation).title
    codes = f"{_SHORT[sign.system]} {', '.join(sign.codes)}" if sign.codes else "any"
    if sign.values:
        codes += f" with {_SHORT[sign.value_system]} {', '.join(sign.values)}"
    when = "also when past" if sign.past else "while active"
    if sign.within is not None:
        when = f"in the last {sign.within.days} days"
    return f"| {title} is {sign.answer} | {sign.type} | {codes} | {when} |"


def _alert(kind: ObservationKind) -> str:
    alert = kind.alert
    if alert is None:
        return ""
    if alert.answer is not None:
        return f"is {alert.answer}"
    return f"above {alert.above}" if alert.above is not None else f"below {alert.below}"


def _scale(scale: Scale) -> list[str]:
    most = scale.item_high * len(scale.item_titles)
    lines = [f"### {scale.title}", "", f"Each item 0 to {scale.item_high}, total 0 to {most}."]
    lines += [f"Source: {scale.source}. Panel code: {_code(scale.panel)}.", ""]
    pairs = zip(scale.item_titles, scale.item_codes, strict=True)
    lines += [f"{n}. {title} ({_code(code)})" for n, (title, code) in enumerate(pairs, start=1)]
    return [*lines, ""]


def _code(code: Code | None) -> str:
    return "none" if code is None else f"{_SHORT[code.system]} {code.code}"
