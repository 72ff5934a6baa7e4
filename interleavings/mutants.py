"""The fences, idempotency checks and clock guards of the product, each to be taken out in turn.

Found in its text, so that a new guard is a new mutant: in the scripts, conditions that end in a
return or look at who has what; in Python, what raises a loss of the lease, forgets, rebuilds and
looks for what is lost. The defects of an earlier review are put back by hand.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path("vtox/store/server/lua")
# Scripts that decide on the fate of a window.
DELIVERING = ("admit", "bury_record", "commit", "dispatch", "lease", "move", "refuse", "release")
DELIVERING += ("report", "retire_partition", "start", "unassigned_entries", "_shared")
BRIDGE = Path("vtox/pipeline/bridge")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A product without one of its guards: `changes` are file, text before and text after."""

    name: str
    changes: tuple[tuple[Path, str, str], ...]

    def apply(self, root: Path) -> None:
        """Change a copy of the product.

        Raises
        ------
        LookupError
            The text is not there, or in several places.
        """
        for path, before, after in self.changes:
            text = (root / path).read_text()
            if text.count(before) != 1:
                raise LookupError(f"{self.name}: {text.count(before)} times in {path}: {before!r}")
            (root / path).write_text(text.replace(before, after))


def mutants(root: Path) -> list[Mutant]:
    """Return all mutants of a checkout."""
    return [*_of_review(), *_of_scripts(root), *_of_python(root)]


# A condition that ends what a script does, on one line; or one that looks at who has what.
_RETURNS = re.compile(r"^(\s*)if (.+) then (return .*|free = false|break) end$")
_LOOKS = re.compile(
    r"^(\s*)(?:else)?if (.*(?:XPENDING|HEXISTS|pending|before\[1\]|age >= 0).*) then$"
)
_TEXTS = (
    ("'HSETNX'", "'HSET'"),
    ("math.min(arrived, now)", "arrived"),
    ("'XX', ", ""),
    ("if n > 0 then count(name, n) end", "count(name, #ids)"),
    ("change('HDEL', progress, closed)", "local _ = closed"),
    ("change('HDEL', ledger, gone)", "local _ = gone"),
)
# Lines of that form that guard nothing.
_NO_GUARDS = (
    "if energy == '' then",  # a record without energy leaves the meter as it is, either way
    "if failed > 0 and failed == #records then",  # how a worker is told of an error of the server
)


def _of_scripts(root: Path) -> Iterator[Mutant]:
    for name in DELIVERING:
        path = SCRIPTS / f"{name}.lua"
        lines = (root / path).read_text().splitlines()
        for i, line in enumerate(lines):
            if lines.count(line) == 1 and (after := _changed(line)):
                yield Mutant(
                    f"{name}.lua:{i + 1} {line.strip()}", ((path, line + "\n", after + "\n"),)
                )


def _changed(line: str) -> str:
    """Return a line without its guard, empty where it has none."""
    if line.strip().startswith(_NO_GUARDS):
        return ""
    if m := _RETURNS.match(line):
        return f"{m[1]}if false then {m[3]} end"
    if m := _LOOKS.match(line):
        return line.replace(m[2], "true" if "and" in m[2] and "== 0" in m[2] else "false")
    for before, after in _TEXTS:
        if before in line:
            return line.replace(before, after)
    return ""


_PYTHON = (
    # Not those that renew a lease in time: one that is lost costs a rebuild, and no promise.
    re.compile(r"^(\s+)self\.(?:_forget|_find_orphans|_rebuild|dispatcher\.redispatch)\(\)$"),
    re.compile(r"^(\s+)raise (?:LeaseLost|StaleState)\(.*\)$"),
)


def _of_python(root: Path) -> Iterator[Mutant]:
    for path in (*sorted((root / BRIDGE).glob("*.py")), *root.glob("vtox/store/**/ledger.py")):
        lines = path.read_text().splitlines()
        for i, line in enumerate(lines):
            m = next((m for p in _PYTHON if (m := p.match(line))), None)
            if m is None:
                continue
            # With the line before it, which tells it from others like it.
            before = "\n".join(lines[i - 1 : i + 1]) + "\n"
            after = f"{lines[i - 1]}\n{m[1]}pass\n"
            changes = ((path.relative_to(root), before, after),)
            yield Mutant(f"{path.name}:{i + 1} {line.strip()}", changes)


def _of_review() -> Iterator[Mutant]:
    admit, refuse, lease = (SCRIPTS / f"{n}.lua" for n in ("admit", "refuse", "lease"))
    fence = (
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end\n"
    )
    gone = "if ARGV[3] == '1' and #redis.call"
    yield Mutant(
        "F1 a rebuild takes finished windows for open ones",
        ((admit, gone, "if false and #redis.call"),),
    )
    renewed = "if ARGV[1] == 'renew' and holder ~= ARGV[2] then return 0 end"
    yield Mutant(
        "F2 a lapsed lease that is free is renewed",
        ((lease, renewed, renewed.replace("holder ~=", "holder and holder ~=")),),
    )
    yield Mutant(
        "F3 nobody looks for windows that a deposed owner has read",
        ((BRIDGE / "loop.py", "                self._find_orphans()\n", ""),),
    )
    yield Mutant(
        "F8 what was admitted before is judged again at a rebuild",
        ((BRIDGE / "intake.py", "    if progress is None:\n", "    if True:\n"),),
    )
    yield Mutant("F9 a woken owner admits and refuses", ((admit, fence, ""), (refuse, fence, "")))
    token = "        token = uuid.uuid4().hex\n"
    yield Mutant(
        "F10 all ownerships of a process have one token, and a refused record is forgotten",
        (
            (BRIDGE / "lease.py", token, "        token = self.token or uuid.uuid4().hex\n"),
            (
                BRIDGE / "dispatcher.py",
                "            raise StaleState(\n",
                "            log.error(\n",
            ),
        ),
    )
