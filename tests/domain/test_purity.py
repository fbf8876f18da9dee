"""The domain is pure: the standard library and itself, no clock, no chance, no input or output."""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import domain
from workflows.runner import PASSED_THROUGH

MODULES = sorted(Path(domain.__file__).parent.rglob("*.py"))
SHARED = [
    Path(importlib.import_module(n).__file__ or "") for n in PASSED_THROUGH if "workflows" in n
]
"""What workflows share with their process, which the sandbox does not look at."""
IMPURE_MODULES = {
    "asyncio",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "getenv", "urandom", "gmtime"}
IMPURE_NAMES = {"open", "input", "print", "exec", "eval", "hash", "id", "globals", "__import__"}
ORDERLESS = {"all", "any", "frozenset", "len", "max", "min", "set", "sorted", "sum"}


def tree(module: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(module.read_text(encoding="utf-8"))


def imported(module: Path) -> Iterator[str]:
    """Name the modules that a module imports."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


def is_set(node: ast.expr, sets: set[str]) -> bool:
    """Say whether an expression is plainly a set."""
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name(id=name):
            return name in sets
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.BinOp(left=left, right=right, op=ast.BitAnd() | ast.BitOr() | ast.Sub()):
            return is_set(left, sets) or is_set(right, sets)
    return False


def set_names(function: ast.AST) -> set[str]:
    """Name what is given a set, or said to be one, in a function."""
    names: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_set(value, names):
                names.add(name)
            case ast.arg(arg=name, annotation=ast.Subscript(value=ast.Name(id=kind))):
                names |= {name} if kind in {"set", "frozenset", "Set"} else set()
    return names


def ordered_from_sets(function: ast.AST) -> Iterator[ast.AST]:
    """Find loops and sequences whose order would be that of a set."""
    sets = set_names(function)
    harmless = {
        id(argument)
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ORDERLESS
        for argument in node.args
    }
    for node in ast.walk(function):
        match node:
            case ast.For(iter=over) if is_set(over, sets):
                yield node
            case ast.ListComp() | ast.GeneratorExp() | ast.DictComp() if id(node) not in harmless:
                yield from (node for one in node.generators if is_set(one.iter, sets))
            case ast.Call(func=ast.Name(id="tuple" | "list"), args=[over]) if is_set(over, sets):
                yield node


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_imports_the_standard_library_and_itself_only(module: Path):
    """A module of the domain imports nothing but the pure standard library and the domain."""
    roots = {name.split(".")[0] for name in imported(module)}
    assert roots <= set(sys.stdlib_module_names) | {"domain"}
    assert not roots & IMPURE_MODULES


@pytest.mark.parametrize("module", [*MODULES, *SHARED], ids=lambda module: module.stem)
def test_reads_no_clock_chance_or_environment(module: Path):
    """No call or default, also of what workflows share, reads a clock or touches the outside."""
    for node in ast.walk(tree(module)):
        match node:
            case ast.Attribute(attr=name):
                assert name not in IMPURE_CALLS, f"{module.name}:{node.lineno}: {name}"
            case ast.Call(func=ast.Name(id=name)):
                assert name not in IMPURE_NAMES, f"{module.name}:{node.lineno}: {name}"


@pytest.mark.parametrize("module", [*MODULES, *SHARED], ids=lambda module: module.stem)
def test_no_order_comes_from_a_set(module: Path):
    """Nothing of them is put in the order of a set, which differs between processes."""
    functions = [n for n in ast.walk(tree(module)) if isinstance(n, ast.FunctionDef)]
    found = [f"{module.name}:{n.lineno}" for f in functions for n in ordered_from_sets(f)]  # type: ignore[attr-defined]
    assert found == []


def test_the_check_for_sets_sees_them():
    """The three plain ways of taking an order from a set are found, and sorting one is not."""
    source = "def f(a: set[int]):\n b = a | {1}\n for x in b: pass\n [x for x in a]\n tuple({1})\n"
    assert len(list(ordered_from_sets(ast.parse(source).body[0]))) == 3
    harmless = "def f(a: set[int]):\n return sorted(a), all(x for x in a), len(a)\n"
    assert list(ordered_from_sets(ast.parse(harmless).body[0])) == []
