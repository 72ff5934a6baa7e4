"""The way of a value through the code: which files it stops in, in the order in which they call.

Read from the syntax; nothing is run. A value is followed by its name, into the functions of the
checkout that it or a part of it is given to, and on by what these return. It is lost in functions
of other packages and in those that are chosen at run time. Branches are walked one after the other,
a function once.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
# Functions of Python that hand on what they are given, item by item.
PASSING = frozenset(("enumerate", "zip"))
# The module of the values that functions hand on, here and in older checkouts: no stop.
VALUES = ("vtox.motor.values.domain", "vtox.domain")
# Methods that put what they are given into what they belong to.
ADDING = frozenset(("add", "append", "extend", "update"))


@dataclass(frozen=True)
class Module:
    """One file: its definitions, and the names that it imports."""

    name: str
    tree: ast.Module

    @cached_property
    def definitions(self) -> dict[str, ast.stmt]:
        """Functions and classes by name."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return {node.name: node for node in self.tree.body if isinstance(node, kinds)}

    @cached_property
    def imports(self) -> dict[str, tuple[str, str]]:
        """Local name -> module and name there."""
        return {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }


@dataclass(frozen=True)
class Target:
    """What a call enters: a function or a class of a file."""

    module: Module
    node: ast.stmt
    method: bool = False


@dataclass
class Walk:
    """The walk of one value; `entries` are the files of the functions it enters, in order."""

    root: Path
    entries: list[str] = field(default_factory=list)
    modules: dict[str, Module | None] = field(default_factory=dict)
    # Whether what a function returns is made of the value, by function.
    passed: dict[ast.stmt, bool] = field(default_factory=dict)

    def follow(self, module: str, function: str, parameter: str) -> "Walk":
        """Follow a parameter of a function of a module."""
        start = self.module(module)
        assert start
        node = start.definitions[function]
        self._enter(Target(start, node), {parameter})
        return self

    @property
    def stops(self) -> list[str]:
        """The files in which the value stops, one after the other."""
        return [name for name, _ in groupby(e for e in self.entries if e not in VALUES)]

    @property
    def returns(self) -> int:
        """How often it comes back to a file that it had left."""
        return len(self.stops) - len(set(self.stops))

    def module(self, name: str) -> Module | None:
        """Return a file of the checkout by the name of its module, None where it has none."""
        if name not in self.modules:
            file = self.root / f"{name.replace('.', '/')}.py"
            known = file.is_file()
            self.modules[name] = Module(name, ast.parse(file.read_text())) if known else None
        return self.modules[name]

    def _enter(self, target: Target, names: set[str]) -> bool:
        """Walk a function with the parameters that carry the value; whether it returns it."""
        self.entries.append(target.module.name)
        node = target.node
        if isinstance(node, ast.ClassDef):
            self.entries.pop()  # a value that is kept in another goes nowhere
            return True
        if node not in self.passed:
            self.passed[node] = False
            assert isinstance(node, Function)
            self.passed[node] = _Body(self, target.module, set(names)).run(node.body)
        return self.passed[node]


class _Body:
    """The body of one function: the names that carry the value."""

    def __init__(self, walk: Walk, module: Module, names: set[str]) -> None:
        self.walk, self.module, self.names = walk, module, names
        self.returned = False
        self.inner: dict[str, Function] = {}

    def run(self, body: Iterable[ast.stmt]) -> bool:
        for statement in body:
            self._statement(statement)
        return self.returned

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef():
                self.inner[node.name] = node
            case ast.Return(value=ast.expr() as value):
                self.returned |= self.carries(value)
            case ast.Assign(targets=targets, value=value):
                if self.carries(value):
                    self._name(targets)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                if self.carries(value):
                    self._name([target])
            case ast.AugAssign(target=target, value=value):
                if self.carries(value):
                    self._name([target])
            case ast.For(target=target, iter=over, body=body, orelse=orelse):
                if self.carries(over):
                    self._name([target])
                self.run([*body, *orelse])
            case (
                ast.If(test=test, body=body, orelse=orelse)
                | ast.While(test=test, body=body, orelse=orelse)
            ):
                self.carries(test)
                self.run([*body, *orelse])
            case ast.With(items=items, body=body):
                for item in items:
                    self.carries(item.context_expr)
                self.run(body)
            case ast.Expr(value=ast.Yield(value=ast.expr() as value)):
                self.returned |= self.carries(value)
            case ast.Expr(value=value):
                self.carries(value)
            case _:
                pass

    def _name(self, targets: Iterable[ast.expr]) -> None:
        for target in targets:
            at = target
            while isinstance(at, ast.Subscript | ast.Attribute):
                at = at.value
            for part in ast.walk(at):
                if isinstance(part, ast.Name):
                    self.names.add(part.id)

    def carries(self, node: ast.expr) -> bool:
        """Walk the calls of an expression; whether its value is made of the one followed."""
        match node:
            case ast.Name(id=name):
                return name in self.names
            case ast.Call():
                return self._call(node)
            case ast.NamedExpr(target=target, value=value):
                found = self.carries(value)
                if found:
                    self._name([target])
                return found
            case ast.IfExp(test=test, body=body, orelse=orelse):
                tested = [self.carries(x) for x in (body, test, orelse)]
                return tested[0] or tested[2]
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
                return self._comprehension(node)
            case ast.Lambda(body=body):
                return self.carries(body)
            case _:
                found = [self.carries(x) for x in _parts(node)]
                return any(found)

    def _comprehension(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp
    ) -> bool:
        for generator in node.generators:
            if self.carries(generator.iter):
                self._name([generator.target])
            for test in generator.ifs:
                self.carries(test)
        made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return any([self.carries(x) for x in made])

    def _call(self, node: ast.Call) -> bool:
        held = isinstance(node.func, ast.Attribute) and self.carries(node.func.value)
        given = [self.carries(x) for x in node.args]
        named = {k.arg: self.carries(k.value) for k in node.keywords}
        if isinstance(node.func, ast.Name) and node.func.id in self.inner:
            return self.run(self.inner.pop(node.func.id).body)  # of this function: no stop
        target = self._target(node.func)
        if target is None:
            if node.args and isinstance(node.func, ast.Attribute) and node.func.attr in ADDING:
                self._name([node.func.value] if any(given) else [])
            passes = isinstance(node.func, ast.Name) and node.func.id in PASSING
            return held or (passes and any([*given, *named.values()]))
        if not (held or any([*given, *named.values()])):
            return False
        return self.walk._enter(target, _parameters(target, held, given, named))

    def _target(self, func: ast.expr) -> Target | None:
        match func:
            case ast.Name(id=name):
                return self._defined(self.module, name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                module = self.module.imports.get(owner)
                other = self.walk.module(".".join(module)) if module else None
                return self._defined(other, name) if other else self._method(name)
            case ast.Attribute(attr=name):
                return self._method(name)
        return None

    def _defined(self, module: Module, name: str) -> Target | None:
        if node := module.definitions.get(name):
            return Target(module, node)
        if name in module.imports:
            home, original = module.imports[name]
            other = self.walk.module(home)
            return self._defined(other, original) if other else None
        return None

    def _method(self, name: str) -> Target | None:
        """Return the method of that name, where one class alone of the files walked has it."""
        found = [
            Target(module, part, method=True)
            for module in self.walk.modules.values()
            if module
            for node in module.definitions.values()
            if isinstance(node, ast.ClassDef)
            for part in node.body
            if isinstance(part, Function) and part.name == name
        ]
        return found[0] if len(found) == 1 else None


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        elif isinstance(child, ast.keyword):
            yield child.value


def _parameters(
    target: Target, held: bool, given: list[bool], named: Mapping[str | None, bool]
) -> set[str]:
    """Return the parameters of a function that a call gives the value to."""
    if not isinstance(target.node, Function):
        return set()
    arguments = target.node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    carried = [held, *given] if target.method else given
    found = {n for n, value in zip(names, carried, strict=False) if value}
    if arguments.vararg and any(carried[len(names) :]):
        found.add(arguments.vararg.arg)
    return found | {n for n, value in named.items() if n and value}
