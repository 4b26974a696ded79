"""Mutants of the comparator of the conformance suite: its modules with one thing changed, made in memory.

    uv run python tests/comparator_mutants.py

prints them all, and which of them the questions of `judgements` do not notice.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any

from judgements import cases, difference, namespace

from llb_conformance.suite import outcome

__all__ = ["EQUIVALENT", "MODULES", "Mutant", "fresh", "mutants", "noticed", "survivors"]

PACKAGE = "llb_conformance.suite"
MODULES = ("tolerance", "expectation", "numbers", "limit_numbers", "density_numbers")
"""In the order in which they import each other."""

EQUIVALENT: Mapping[tuple[str, str, str], str] = {
    (
        "numbers",
        "convex = all(after >= before - 1e-6 * abs(before) for before, after in pairwise(steps))",
        "abs(before) -> before",
    ): "a step below zero does not rise, whatever follows it",
    (
        "numbers",
        "(0.0 if math.isfinite(number) else math.inf)",
        "0.0 -> 1.0",
    ): "an excess of one passes as well, and is never the worst of those that do not",
}
"""Mutants that nobody can tell from the comparator, by module, line and change; why."""

_COMPARISONS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
_NAMES = {"max": "min", "min": "max", "any": "all", "all": "any"}
_ATTRIBUTES = {"isnan": "isinf", "isinf": "isnan"}
_CONVERSIONS = {"abs", "as_float", "as_number", "set", "sorted"}
_ANNOTATIONS = {"annotation", "returns"}


@dataclass(frozen=True)
class Mutant:
    """A changed module.

    Attributes:
        module: its name.
        number: of the line.
        line: text of the line.
        change: what was changed, and into what.
        code: the module, compiled.
    """

    module: str
    number: int
    line: str
    change: str
    code: CodeType

    @property
    def key(self) -> tuple[str, str, str]:
        """What the mutant is called in `EQUIVALENT`."""
        return self.module, self.line, self.change

    def __str__(self) -> str:
        return f"{self.module}.py:{self.number}: {self.line}  [{self.change}]"


@cache
def _source(module: str) -> str:
    return (resources.files(PACKAGE) / f"{module}.py").read_text(encoding="utf-8")


@cache
def _code(module: str) -> CodeType:
    return compile(_source(module), f"<{module}>", "exec")


def fresh(changed: Mapping[str, CodeType]) -> SimpleNamespace:
    """The names of the comparator, from modules made anew: some of other code. Those of this process stay."""
    made: dict[str, ModuleType] = {}

    def importing(name: str, *rest: Any) -> ModuleType:
        return made[name] if name in made else __import__(name, *rest)

    for name in MODULES:
        module = ModuleType(f"{PACKAGE}.{name}")
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": importing}
        # Mutants return it from wherever they are.
        vars(module)["PASSED"] = outcome.PASSED
        exec(changed.get(name, _code(name)), vars(module))  # noqa: S102 - our own code
        made[module.__name__] = module
    return namespace(outcome, *made.values())


def noticed(mutant: Mutant) -> str:
    """What the questions show of a mutant; "" if nothing."""
    try:
        for entry in cases(fresh({mutant.module: mutant.code})):
            found = difference(entry)
            if found:
                return f"{entry.name}: {found}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


@cache
def survivors(module: str) -> tuple[Mutant, ...]:
    """Mutants of a module that are not noticed."""
    return tuple(mutant for mutant in mutants(module) if not noticed(mutant))


@cache
def mutants(module: str) -> tuple[Mutant, ...]:
    """All mutants of a module, each with one change."""
    source = _source(module)
    lines = source.splitlines()
    tree = ast.parse(source)
    found: list[Mutant] = []
    for place in _places(tree):
        number = getattr(place.node, "target", place.node).lineno if _others(place) else 0
        for other in _others(place):
            change = f"{ast.unparse(place.node)} -> {ast.unparse(other)}"
            place.put(other)
            code = compile(ast.fix_missing_locations(tree), f"<mutant of {module}>", "exec")
            place.put(place.node)
            found.append(Mutant(module, number, lines[number - 1].strip(), change, code))
    return tuple(found)


@dataclass(frozen=True)
class _Place:
    """A node where something can be changed, and where it hangs.

    Attributes:
        node: the node.
        parent: what it hangs on.
        field: of the parent.
        index: in that field, if it is a list.
        judging: whether it is in a function that returns judgements.
    """

    node: Any
    parent: ast.AST
    field: str
    index: int | None
    judging: bool

    def put(self, node: ast.AST) -> None:
        """Puts another node in its place."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def _places(parent: ast.AST, judging: bool = False) -> list[_Place]:
    """All places below a node but annotations and tolerances of the suite."""
    found: list[_Place] = []
    for field, value in ast.iter_fields(parent):
        if field in _ANNOTATIONS:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or _is_tolerance(parent, node):
                continue
            inside = judging
            if isinstance(node, ast.FunctionDef):
                inside = node.returns is not None and "Judgement" in ast.unparse(node.returns)
            found += [_Place(node, parent, field, index, inside), *_places(node, inside)]
    return found


def _is_tolerance(parent: ast.AST, node: ast.AST) -> bool:
    """Whether this is a tolerance of the suite, which is a choice and not a rule."""
    return (
        isinstance(parent, ast.Assign)
        and isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Tolerance"
    )


def _others(place: _Place) -> list[ast.AST]:
    """What can stand in a place instead."""
    kinds = (_logic(place.node), _numbers(place.node), _names(place.node), _statements(place))
    return [other for kind in kinds for other in kind]


def _logic(node: Any) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            for position, operator in enumerate(node.ops):
                for other in _COMPARISONS[type(operator)]:
                    ops = [*node.ops[:position], other(), *node.ops[position + 1 :]]
                    yield ast.Compare(node.left, ops, node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            for position in range(len(node.values)):
                rest = [*node.values[:position], *node.values[position + 1 :]]
                yield ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.IfExp():
            yield from (node.body, node.orelse)
        case ast.comprehension() if node.ifs:
            yield ast.comprehension(node.target, node.iter, [], node.is_async)
        case _:
            return


def _numbers(node: Any) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp() if type(node.op) in _OPERATORS:
            yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
        case ast.BinOp(op=ast.BitOr()):
            yield from (node.left, node.right)
        case ast.Constant(value=bool()):
            return
        case ast.Constant(value=int() as number):
            yield from map(ast.Constant, (number + 1, number - 1))
        case ast.Constant(value=float() as number):
            yield from map(ast.Constant, (2.0 * number, 0.5 * number) if number else (1.0,))
        case ast.Attribute(attr="inf"):
            yield ast.Constant(0.0)
        case _:
            return


def _names(node: Any) -> Iterator[ast.AST]:
    match node:
        case ast.Name() if node.id in _NAMES:
            yield ast.Name(_NAMES[node.id], ast.Load())
        case ast.Attribute() if node.attr in _ATTRIBUTES:
            yield ast.Attribute(node.value, _ATTRIBUTES[node.attr], ast.Load())
        case ast.Call(func=ast.Name(id=name), args=[argument]) if name in _CONVERSIONS:
            if not isinstance(argument, ast.Starred):
                yield argument
        case _:
            return


def _statements(place: _Place) -> Iterator[ast.AST]:
    node = place.node
    match node:
        case ast.If():
            yield from (ast.If(ast.Constant(answer), node.body, node.orelse) for answer in (True, False))
        case ast.Return(value=None) | ast.Raise():
            yield ast.Pass()
        case ast.Return() | ast.Yield():
            yield from (type(node)(value) for value in _results(node.value, place.judging))
        case ast.AugAssign():
            yield ast.AugAssign(node.target, _OPERATORS[type(node.op)](), node.value)
            yield ast.Pass()
        case ast.Assign() if not isinstance(place.parent, ast.Module):
            yield ast.Pass()
        case ast.Expr() if not isinstance(node.value, ast.Constant):
            yield ast.Pass()
        case _:
            return


def _results(value: ast.expr, judging: bool) -> Iterator[ast.expr]:
    """What else could come out: nothing, and, of a judgement, that nothing is wrong."""
    text = ast.unparse(value)
    if text != "None":
        yield ast.Constant(None)
    if judging and text != "PASSED":
        yield ast.Name("PASSED", ast.Load())


def main() -> None:
    """Prints every mutant with what shows it."""
    for module in MODULES:
        for mutant in mutants(module):
            print(f"{mutant}\n    {noticed(mutant)[:150] or EQUIVALENT.get(mutant.key, 'SURVIVES')}")


if __name__ == "__main__":
    main()
