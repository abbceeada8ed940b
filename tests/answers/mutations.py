"""Breaks the lines of a gap in every small way, like someone who mistypes or half understands."""

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt, ast.LtE),
    ast.Eq: (ast.NotEq, ast.In),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn, ast.Eq),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.BitOr: (ast.BitAnd,),
}
OTHER_FUNCTION = {
    "any": "all",
    "all": "any",
    "min": "max",
    "max": "min",
    "sorted": "set",
    "set": "list",
    "round": "int",
}
OTHER_KEYWORD = {"axis": ("0", "1")}


@dataclass(frozen=True)
class Mutation:
    """The lines of a gap with one thing wrong.

    Attributes:
        code: All lines.
        before: What was there, in one line.
        after: What is there now, in one line.
    """

    code: str
    before: str
    after: str

    def __str__(self) -> str:
        """The line before and after the change."""
        return f"{self.before} → {self.after}"


def mutations(code: str) -> list[Mutation]:
    """All mutations of some lines of Python, each once, in the order of the text.

    Args:
        code: The lines of a gap, without their indentation.
    """
    tree = ast.parse(code)
    plain = ast.unparse(tree)
    names = _names(tree)
    found: dict[str, Mutation] = {}
    spoken = {id(inner) for node in ast.walk(tree) if _is_spoken(node) for inner in ast.walk(node)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in spoken:
            continue
        for other in _alternatives(node, names):
            changed = copy.deepcopy(tree)
            _replace(changed, number, other)
            text = ast.unparse(ast.fix_missing_locations(changed))
            if text not in found and text != plain and _is_python(text):
                found[text] = Mutation(text, *_difference(plain, text))
    return list(found.values())


def _is_spoken(node: ast.AST) -> bool:
    """An error message for the sender of a request; the sentences of step 4's gate are checked."""
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) == "text"
        and ast.unparse(node.args[0]).startswith("'serving.")
    )


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, without those that are the same at both ends."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return tuple("; ".join(line.strip() for line in lines) or "(nothing)" for lines in (old, new))  # type: ignore[return-value]


def _replace(tree: ast.AST, number: int, other: ast.AST | list[ast.AST]) -> None:
    """Replaces a node, counted in the order of `ast.walk`."""
    wanted = next(node for count, node in enumerate(ast.walk(tree)) if count == number)
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is wanted:
                setattr(parent, field, copy.deepcopy(other))
                return
            if isinstance(value, list):
                for index, item in enumerate(value):
                    if item is wanted:
                        value[index : index + 1] = (
                            other if isinstance(other, list) else [copy.deepcopy(other)]
                        )
                        return


@dataclass(frozen=True)
class _Names:
    """The names in a gap that may be mixed up: variables, constants, attributes of each object."""

    variables: tuple[str, ...]
    constants: tuple[str, ...]
    attributes: dict[str, tuple[str, ...]]


def _names(tree: ast.AST) -> _Names:
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    loaded = dict.fromkeys(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id not in called
    )
    attributes: dict[str, dict[str, None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            attributes.setdefault(ast.unparse(node.value), {})[node.attr] = None
    return _Names(
        tuple(name for name in loaded if name.islower()),
        tuple(name for name in loaded if name.isupper()),
        {of: tuple(names) for of, names in attributes.items()},
    )


def _alternatives(node: ast.AST, names: _Names) -> Iterator[Any]:
    """The possible replacements of a node."""
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                for comparison in COMPARISONS[type(operator)]:
                    yield _with(node, ops=[*node.ops[:index], comparison(), *node.ops[index + 1 :]])
        case ast.BinOp():
            for arithmetic in ARITHMETIC.get(type(node.op), ()):
                yield _with(node, op=arithmetic())
            yield node.left
            yield node.right
            if not isinstance(node.op, ast.Add | ast.Mult | ast.BitOr):
                yield _with(node, left=node.right, right=node.left)
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
            for index in range(len(node.values)):
                rest = node.values[:index] + node.values[index + 1 :]
                yield _with(node, values=rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp():
            yield node.operand
        case ast.Constant(value=bool(flag)):
            yield ast.Constant(not flag)
        case ast.Constant(value=int(number)):
            yield from (
                ast.Constant(number + 1),
                ast.UnaryOp(ast.USub(), ast.Constant(1 - number)) if number < 1 else ast.Constant(number - 1),
            )
        case ast.Constant(value=float(number)):
            yield from (ast.Constant(2 * number or 1.0), ast.Constant(number / 2))
        case ast.Constant(value=str(words)):
            yield from (ast.Constant(""), ast.Constant(words + "x"))
        case ast.Name(ctx=ast.Load(), id=name) if name.isupper():
            yield from (
                ast.BinOp(node, ast.Mult(), ast.Constant(2)),
                ast.BinOp(node, ast.Div(), ast.Constant(2)),
            )
            yield from (ast.Name(other, ast.Load()) for other in names.constants if other != name)
        case ast.Name(ctx=ast.Load(), id=name) if name in names.variables:
            yield from (ast.Name(other, ast.Load()) for other in names.variables if other != name)
        case ast.Attribute(ctx=ast.Load(), attr=name):
            yield from (
                _with(node, attr=other)
                for other in names.attributes[ast.unparse(node.value)]
                if other != name
            )
        case ast.Call():
            yield from _other_calls(node)
        case ast.Slice(lower=lower, upper=upper):
            yield from (_with(node, lower=None), _with(node, upper=None)) if lower or upper else ()
        case ast.Subscript(slice=ast.Constant() | ast.UnaryOp()):
            yield from (
                _with(node, slice=ast.Constant(0)),
                _with(node, slice=ast.UnaryOp(ast.USub(), ast.Constant(1))),
            )
        case ast.IfExp():
            yield from (node.body, node.orelse, _with(node, body=node.orelse, orelse=node.body))
        case ast.comprehension():
            for index in range(len(node.ifs)):
                yield _with(node, ifs=node.ifs[:index] + node.ifs[index + 1 :])
            yield _with(node, iter=ast.parse(f"list({ast.unparse(node.iter)})[:1]", mode="eval").body)
            yield _with(node, iter=ast.parse(f"list({ast.unparse(node.iter)})[1:]", mode="eval").body)
            yield _with(node, iter=ast.parse(f"list({ast.unparse(node.iter)})[:-1]", mode="eval").body)
        case ast.Tuple(ctx=ast.Load(), elts=parts) | ast.List(ctx=ast.Load(), elts=parts):
            for index in range(len(parts) - 1):
                yield _with(node, elts=[*parts[:index], parts[index + 1], parts[index], *parts[index + 2 :]])
            for index in range(len(parts)):
                yield _with(node, elts=parts[:index] + parts[index + 1 :])
        case ast.Dict(keys=keys, values=values):
            for index in range(len(keys)):
                yield _with(
                    node, keys=keys[:index] + keys[index + 1 :], values=values[:index] + values[index + 1 :]
                )
        case ast.FormattedValue(format_spec=ast.JoinedStr()):
            yield _with(node, format_spec=None)
            yield ast.FormattedValue(node.value, node.conversion, ast.JoinedStr([ast.Constant(".1f")]))
        case ast.If():
            yield from (_with(node, test=ast.Constant(True)), _with(node, test=ast.Constant(False)))
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
            yield list(node.orelse) or [ast.Pass()]
        case ast.For():
            yield _with(node, body=[*node.body, ast.Break()])
        case ast.Return(value=ast.expr()):
            yield _with(node, value=ast.Constant(None))
        case ast.Expr() | ast.Assign() | ast.Raise():
            yield ast.Pass()


def _other_calls(node: ast.Call) -> Iterator[ast.expr]:
    if isinstance(node.func, ast.Name) and node.func.id in OTHER_FUNCTION:
        yield _with(node, func=ast.Name(OTHER_FUNCTION[node.func.id], ast.Load()))
    for index in range(len(node.args)):
        if len(node.args) + len(node.keywords) > 1:
            yield _with(node, args=node.args[:index] + node.args[index + 1 :])
    for index, keyword in enumerate(node.keywords):
        yield _with(node, keywords=node.keywords[:index] + node.keywords[index + 1 :])
        for value in OTHER_KEYWORD.get(keyword.arg or "", ()):
            if ast.unparse(keyword.value) != value:
                other = ast.keyword(keyword.arg, ast.Constant(int(value)))
                yield _with(node, keywords=[*node.keywords[:index], other, *node.keywords[index + 1 :]])
    for index in range(len(node.args) - 1):
        args = node.args
        yield _with(node, args=[*args[:index], args[index + 1], args[index], *args[index + 2 :]])
    if len(node.args) >= 1 and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
        yield node.args[0]
    if isinstance(node.func, ast.Attribute):
        yield node.func.value


def _with(node: ast.AST, **changed: Any) -> Any:
    """A copy of a node with some fields changed."""
    other = copy.copy(node)
    for field, value in changed.items():
        setattr(other, field, value)
    return other


SCALAR = re.compile(r"(?<![\w$({.])(?:\$\([\w.-]+\)|[\w./:$()-]*[\w)])(?=[\s,}\]\"]|$)")
"""A word of YAML; `$(params.image)` is one."""


def yaml_mutations(code: str) -> list[Mutation]:
    """The same for some lines of YAML: lines and words left out, changed, or taken for one another.

    Args:
        code: The lines of a gap.
    """
    lines = code.splitlines()
    changed = [lines[:number] + lines[number + 1 :] for number in range(len(lines))]
    changed += [[*lines[:number], "  " + line, *lines[number + 1 :]] for number, line in enumerate(lines)]
    meaning, words = _meaning(code), list(SCALAR.finditer(code))
    texts = ["\n".join(each) for each in changed]
    for index, word in enumerate(words):
        others = {word[0] + "x", word[0][:-1], '""', *_other_numbers(word[0])}
        if index + 1 < len(words):
            others.add(words[index + 1][0])
        others |= {other[0] for other in words if other[0].startswith("$") and word[0].startswith("$")}
        texts += [
            code[: word.start()] + other + code[word.end() :] for other in sorted(others) if other != word[0]
        ]
    return [
        Mutation(text, *_difference(code, text)) for text in dict.fromkeys(texts) if _meaning(text) != meaning
    ]


def _meaning(code: str) -> object:
    """The value that YAML reads, since a deeper indentation may mean the same; else the text."""
    try:
        return yaml.safe_load(code)
    except yaml.YAMLError:
        return code


def _other_numbers(word: str) -> list[str]:
    number = re.fullmatch(r"(\d+)(\D*)", word)
    return (
        [f"{int(number[1]) + 1}{number[2]}", f"{int(number[1]) * 10}{number[2]}", number[1]] if number else []
    )
