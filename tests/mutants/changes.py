"""What can be broken in a module: each change replaces one piece of its text and leaves the rest as it is."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
BOOLEANS: dict[type[ast.boolop], tuple[str, str]] = {ast.And: ("and", "or"), ast.Or: ("or", "and")}
TEXTS = ast.JoinedStr | ast.List | ast.Tuple
"""What `+`, `*` and `/` join rather than reckon with: the change would only be a TypeError."""

# fmt: off
COSMETIC = frozenset((
    "alpha", "bar_width", "box", "color", "daemon", "dpi", "figsize", "fontsize", "header_style", "highlight",
    "indent", "justify", "linewidth", "name", "no_args_is_help", "no_wrap", "pad_edge", "padding", "ratio",
    "soft_wrap", "style", "timeout", "timeout_s", "width", "word_wrap",
))
# fmt: on
"""Keyword arguments that say how a thing looks, or how long one is patient."""
PATIENT = re.compile(
    r"TIMEOUT|PATIEN|POLL|BACK_OFF|COLOUR|LOOK_|LISTEN|TURN_S|PAUSE|GRACE|KEEPALIVE|END_S$|CLOS|TRY_|REFRESH|LASTED"
    r"|(READY|ANSWERS|STOPS?|START)_WITHIN"
)
"""Constants of the same kind, by their names."""
CLOCK = re.compile(r"\bmonotonic\b|\buntil\b|\bdeadline\b")
"""Where `<` and `<=` are the same, since no two are ever equal."""
CHANCE = re.compile(r"rng\.\w+\(")
"""What is drawn by chance is drawn from as wide as looks well."""
SYMMETRIC = frozenset(("min", "max"))
"""Functions that take their arguments in either order."""
SPOKEN = re.compile(r"^(log|logger|logging|warnings|time\.sleep$)\b")


@dataclass(frozen=True)
class Change:
    """One small change to a module.

    Attributes:
        path: Of the module, from the repository's root.
        function: The qualified name of the function or class that contains it; empty for the module itself.
        line: Where, from 1.
        kind: What kind of change: `comparison`, `arithmetic`, `boolean`, `not`, `number`, `flag`, `return`,
            `jump`, `call`, `branch` or `arguments`.
        start: Where the piece begins, in bytes.
        end: Where it ends.
        put: The replacement.
        before: The line as it is.
        after: The line as it becomes.
    """

    path: str
    function: str
    line: int
    kind: str
    start: int
    end: int
    put: str
    before: str = ""
    after: str = ""

    def apply(self, source: bytes) -> bytes:
        """The module's text with the change made."""
        return source[: self.start] + self.put.encode() + source[self.end :]

    @property
    def is_run_at_import(self) -> bool:
        """Whether it is outside functions: in the module itself, or in the body of a class."""
        return not self.function or self.function.rpartition(".")[2].lstrip("_")[:1].isupper()

    def makes_python(self, source: bytes) -> bool:
        """Whether the result is valid Python."""
        try:
            ast.parse(self.apply(source))
        except SyntaxError:
            return False
        return True


class Finder:
    """Finds every change that can be made to a module.

    Args:
        path: Of the module, from the repository's root.
        source: Its text.
    """

    def __init__(self, path: str, source: bytes) -> None:
        self._path, self._source = path, source
        self._starts = [0, *(found.end() for found in re.finditer(rb"\n", source))]
        self._tree = ast.parse(source)

    def find(self) -> Iterator[Change]:
        """All changes, in the order of the text."""
        yield from self._visit_all(self._tree.body, ())

    def _visit_all(self, nodes: list, function: tuple[str, ...]) -> Iterator[Change]:
        for node in nodes:
            yield from self._visit(node, function)

    def _visit(self, node: ast.AST, function: tuple[str, ...]) -> Iterator[Change]:
        if _is_cosmetic(node):
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name != "__repr__":
                inside = (*function, node.name)
                yield from self._visit_all(
                    [*node.args.defaults, *filter(None, node.args.kw_defaults)], function
                )
                yield from self._visit_all(node.body, inside)
            return
        if isinstance(node, ast.ClassDef):
            yield from self._visit_all(node.body, (*function, node.name))
            return
        if isinstance(node, ast.AnnAssign):  # What is behind the colon is a type.
            yield from self._visit_all([node.value] if node.value else [], function)
            return
        for found in self._changes_of(node):
            yield self._change(function, *found)
        yield from self._visit_all(list(ast.iter_child_nodes(node)), function)

    def _changes_of(self, node: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        """Kind, start, end and replacement of each change to a node itself."""
        match node:
            case ast.Compare():
                sides = [node.left, *node.comparators]
                for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
                    written, others = COMPARISONS[type(operator)]
                    for other in others[_has_clock(node) :]:
                        yield ("comparison", *self._between(left, right, written), other)
            case ast.BinOp(op=operator) if type(operator) in ARITHMETIC and not _is_text(node):
                written, other = ARITHMETIC[type(operator)]
                yield ("arithmetic", *self._between(node.left, node.right, written), other)
            case ast.AugAssign(op=operator) if type(operator) in ARITHMETIC and not _is_text(node):
                written, other = ARITHMETIC[type(operator)]
                yield ("arithmetic", *self._between(node.target, node.value, written + "="), other + "=")
            case ast.BoolOp():
                written, other = BOOLEANS[type(node.op)]
                for left, right in zip(node.values, node.values[1:], strict=False):
                    yield ("boolean", *self._between(left, right, written), other)
                for value in node.values:
                    yield ("boolean", *self._span(value), str(isinstance(node.op, ast.And)))
            case ast.UnaryOp(op=ast.Not() | ast.USub()):
                kind = "not" if isinstance(node.op, ast.Not) else "number"
                yield kind, self._start(node), self._start(node.operand), ""
            case ast.Constant(value=bool(flag)):
                yield ("flag", *self._span(node), str(not flag))
            case ast.Constant(value=int(number)):
                yield ("number", *self._span(node), str(number + 1))
            case ast.Constant(value=float(number)):
                yield ("number", *self._span(node), repr(2 * number or 1.0))
            case ast.IfExp():
                body, orelse = self._text(node.body), self._text(node.orelse)
                swapped = f"{orelse} if {self._text(node.test)} else {body}"
                yield ("branch", *self._span(node), swapped)
            case ast.If():
                yield ("branch", *self._span(node.test), "False")
                yield ("branch", *self._span(node.test), "True")
            case ast.Return(value=ast.expr() as value) if not _is_none(value):
                yield ("return", *self._span(value), "None")
            case ast.Return(value=None) | ast.Raise() | ast.Continue() | ast.Break():
                yield ("jump", *self._span(node), "pass")
            case ast.Expr(value=ast.Call() | ast.Await()):
                yield ("call", *self._span(node), "pass")
            case ast.Call(
                args=[ast.Name() | ast.Attribute() as first, ast.Name() | ast.Attribute() as second, *_]
            ) if ast.unparse(node.func) not in SYMMETRIC:
                swapped = f"{self._text(second)}, {self._text(first)}"
                yield "arguments", self._start(first), self._end(second), swapped

    def _change(self, function: tuple[str, ...], kind: str, start: int, end: int, put: str) -> Change:
        line = self._source.count(b"\n", 0, start) + 1
        from_here, to_here = self._starts[line - 1], self._source.find(b"\n", end)
        to_here = len(self._source) if to_here < 0 else to_here
        before = self._source[from_here:to_here].decode()
        after = (self._source[from_here:start] + put.encode() + self._source[end:to_here]).decode()
        names = ".".join(function)
        return Change(self._path, names, line, kind, start, end, put, _one_line(before), _one_line(after))

    def _between(self, left: ast.AST, right: ast.AST, written: str) -> tuple[int, int]:
        """The position of an operator."""
        begin, end = self._end(left), self._start(right)
        pattern = r"\s+".join(map(re.escape, written.split())).encode()
        found = re.search(pattern, self._source[begin:end])
        assert found, (self._path, written)
        return begin + found.start(), begin + found.end()

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        return self._start(node), self._end(node)

    def _start(self, node: Any) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: Any) -> int:
        return self._starts[node.end_lineno - 1] + node.end_col_offset


def _has_clock(node: ast.Compare) -> bool:
    return isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE) and bool(
        CLOCK.search(ast.unparse(node))
    )


def _is_cosmetic(node: ast.AST) -> bool:
    """Whether no test can be expected to notice it: looks, patience, log texts, types."""
    match node:
        case ast.keyword(arg=name):
            return name in COSMETIC
        case ast.JoinedStr():
            return True
        case ast.Compare() | ast.Call():
            return bool(CHANCE.match(ast.unparse(node)))
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return bool(PATIENT.search(name))
        case ast.Expr(value=ast.Call(func=called)):
            return bool(SPOKEN.search(ast.unparse(called)))
        case ast.If(test=test):
            return ast.unparse(test) in ("__name__ == '__main__'", "TYPE_CHECKING")
    return False


def _is_text(node: ast.BinOp | ast.AugAssign) -> bool:
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    return any(
        isinstance(s, TEXTS) or (isinstance(s, ast.Constant) and isinstance(s.value, str | bytes))
        for s in sides
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _one_line(text: str) -> str:
    return " ".join(text.split())
