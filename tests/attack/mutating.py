"""Small changes of the domain's code, one at a time, that its tests must notice.

The changes are mutmut's: a comparison, a number, a name, an argument, a case of a match. Sentences
for people are left as they are (their wording is nobody's rule), names of rules are not. A change
is made in a running process by giving the function other code, so no file is ever written.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, create_mutations, deep_replace

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Mutant:
    """One change: where, what stood there, and what stands there instead.

    `number` tells apart changes of one function that read the same. `lines` are those of its
    statement as it stands now, and no part of its name: it keeps that while lines before it change.
    """

    module: str
    function: str
    was: str
    now: str
    number: int
    lines: range = field(compare=False)
    mutation: Mutation = field(compare=False, repr=False)
    tree: cst.Module = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """What it is known by in what was found out, and among those that survive."""
        return f"{self.module} {self.function}: {self.was}  =>  {self.now} #{self.number}"

    def source(self) -> str:
        """The whole module with this one change."""
        changed = deep_replace(self.tree, self.mutation.original_node, self.mutation.mutated_node)
        assert isinstance(changed, cst.Module)
        return str(changed.code)


def mutants_of(module: str) -> list[Mutant]:
    """List every change of a module that is made, in the order of its lines."""
    path = ROOT / f"{module.replace('.', '/')}.py"
    with redirect_stdout(StringIO()):
        tree, mutations, _, _ = create_mutations(str(path), path.read_text())
    wrapper = MetadataWrapper(tree, unsafe_skip_copy=True)
    positions = wrapper.resolve(PositionProvider)
    owners = dict(_owners(tree))
    statements = list(_statements(tree, positions))
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for mutation in mutations:
        function = mutation.contained_by_top_level_function
        node = mutation.original_node
        if function is None or function not in owners or _is_left_alone(mutation):
            continue
        name = owners[function]
        was, now = (_one_line(tree, each) for each in (node, mutation.mutated_node))
        seen[name, was, now] += 1
        line = positions[node].start.line if node in positions else positions[function].start.line
        around = min((each for each in statements if line in each), key=len)
        found.append(Mutant(module, name, was, now, seen[name, was, now], around, mutation, tree))
    return sorted(found, key=lambda mutant: (mutant.lines.start, mutant.name))


def _statements(tree: cst.Module, positions: Mapping[cst.CSTNode, CodeRange]) -> Iterator[range]:
    """The lines of each statement; of one that holds others, those before the first of them."""
    for node in _below(tree):
        if isinstance(node, cst.BaseCompoundStatement | cst.SimpleStatementLine | cst.MatchCase):
            lines = positions[node]
            body = getattr(node, "cases", None) or getattr(getattr(node, "body", None), "body", [])
            end = positions[body[0]].start.line if body else lines.end.line + 1
            yield range(lines.start.line, max(end, lines.start.line + 1))


def _owners(tree: cst.Module) -> Iterator[tuple[cst.CSTNode, str]]:
    """Every function and method by its qualified name."""
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef):
            yield statement, statement.name.value
        elif isinstance(statement, cst.ClassDef):
            for method in statement.body.body:
                if isinstance(method, cst.FunctionDef):
                    yield method, f"{statement.name.value}.{method.name.value}"


def _is_left_alone(mutation: Mutation) -> bool:
    """Say whether a change is of wording only, of a default, or of what mypy proves unreachable."""
    was, now = mutation.original_node, mutation.mutated_node
    if isinstance(was, cst.Match) and isinstance(now, cst.Match):
        return any(_calls(case, "assert_never") for case in set(was.cases) - set(now.cases))
    if isinstance(was, cst.Call) and _calls(was, "assert_never"):
        return True
    if isinstance(was, cst.SimpleString) and isinstance(now, cst.SimpleString):
        return " " in was.value or not now.value.strip("\"'").startswith("XX")
    function = mutation.contained_by_top_level_function
    assert isinstance(function, cst.FunctionDef)
    return any(each is was for each in _below(function.params))


def _calls(node: cst.CSTNode, name: str) -> bool:
    calls = (each.func for each in _below(node) if isinstance(each, cst.Call))
    return any(isinstance(func, cst.Name) and func.value == name for func in calls)


def _below(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        yield from _below(child)


def _one_line(tree: cst.Module, node: cst.CSTNode) -> str:
    """The code of a node in one line; of a longer one its beginning and its end."""
    text = " ".join(tree.code_for_node(node).split())
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN // 2]} … {text[-40:]}"


MOST_SHOWN = 110


def become(mutant: Mutant) -> None:
    """Give the function of a mutant its changed code, in this process, for good."""
    module = import_module(mutant.module)
    code = compile(mutant.source(), str(module.__file__), "exec", dont_inherit=True)
    for part in mutant.function.split("."):
        code = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == part)
    _function(module, mutant.function).__code__ = code


def _function(module: ModuleType, name: str) -> FunctionType:
    found: object = module
    for part in name.split("."):
        found = vars(found)[part]
    if isinstance(found, property):
        found = found.fget
    assert isinstance(found, FunctionType), name
    return found
