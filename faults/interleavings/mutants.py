"""The fences, idempotency checks and clock guards of the product, each to be taken out in turn.

They are found in its text, so that a new guard is a new mutant. In the scripts they are conditions
that end in a return or check an owner. In Python they are lines that raise a loss of the lease,
forget, rebuild, or search for lost records. Defects of an earlier review, and those found by seeds,
are written out here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

Changes = tuple[tuple[Path, str, str], ...]

SCRIPTS = Path("vtox/pipeline/store/server/lua")
# Scripts that decide on the fate of a window, and on alerts.
GUARDED = ("admit", "bury_record", "commit", "dispatch", "family_progress", "lease", "move")
GUARDED += ("refuse", "release", "report", "retire_partition", "start", "unassigned_entries")
GUARDED += ("keep_alarms", "set_flag", "_shared")
BRIDGE = Path("vtox/pipeline/bridge")
HEALTH = Path("vtox/motor/alarms/health")
# The set on the server in which probes note the guards that mattered, by number in `mutants`.
REACHED = "reached-guards"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A product without one of its guards: `changes` are file, text before and text after.

    With `probe` instead it is the product, and says when the guard matters: until then the mutant
    does the same. Without a probe it may matter anywhere.
    """

    name: str
    changes: Changes
    probe: Changes = ()


def apply(root: Path, name: str, changes: Changes) -> None:
    """Change a copy of the product.

    Raises
    ------
    LookupError
        The text is not there, or in several places.
    """
    for path, before, after in changes:
        text = (root / path).read_text()
        if text.count(before) != 1:
            raise LookupError(f"{name}: {text.count(before)} times in {path}: {before!r}")
        (root / path).write_text(text.replace(before, after))


def mutants(root: Path) -> list[Mutant]:
    """Return all mutants of a checkout; the probe of each says its number."""
    found = [*_put_back(), *_of_scripts(root), *_of_python(root)]
    return [
        replace(m, probe=tuple((p, b, a.replace("NUMBER", str(n))) for p, b, a in m.probe))
        for n, m in enumerate(found)
    ]


_SAY = f"redis.call('SADD', '{REACHED}', NUMBER)"
# A condition on one line that ends a script or loop; or a condition that checks an owner.
_ENDS = r"return(?: .*)?|free = false|rows\[i\] = false|break"
_RETURNS = re.compile(rf"^(\s*)if (.+) then ({_ENDS}) end$")
_WHO = r"XPENDING|HEXISTS|pending|before\[1\]|age >= 0|~= ARGV\[\d\]|== ARGV\[1\]"
_LOOKS = re.compile(rf"^(\s*)(?:else)?if (.*(?:{_WHO}).*) then$")
_TEXTS = (
    ("math.min(arrived, now)", "arrived"),
    ("change('HDEL', progress, closed)", "local _ = closed"),
    ("change('HDEL', ledger, gone)", "local _ = gone"),
    ("age >= 0 and ", ""),
    ("redis.call('PEXPIRE', KEYS[1], ARGV[4], 'LT')", "local _ = holder"),
)
# Lines of that form that guard nothing.
_NO_GUARDS = (
    "if failed > 0 and failed == #records then",  # reports an error of the server to a worker
    # Rows of another version or program, which no seed writes: `test_broken_names.py`.
    "if ok and type(found) == 'table' then return found end",
    "if type(more[name]) ~= 'string' then return nil end",
)


def _of_scripts(root: Path) -> Iterator[Mutant]:
    for name in GUARDED:
        path = SCRIPTS / f"{name}.lua"
        lines = (root / path).read_text().splitlines()
        for i, line in enumerate(lines):
            if lines.count(line) != 1 or line.strip().startswith(_NO_GUARDS):
                continue
            for after, probe in _changed(line):
                changes = ((path, f"{line}\n", f"{after}\n"),)
                said = ((path, f"{line}\n", f"{probe}\n"),) if probe else ()
                yield Mutant(f"{name}.lua:{i + 1} {_title(line, after)}", changes, said)


def _title(line: str, after: str) -> str:
    """Return a line, with the removed part if only a part of it is removed."""
    out = next((before for before, new in _TEXTS if line.replace(before, new) == after), "")
    return line.strip() + (f" without `{out.strip()}`" if out else "")


def _changed(line: str) -> Iterator[tuple[str, str]]:
    """Yield a line without its guard, and the probe that notes when it matters; empty: always."""
    for before, after in _TEXTS:
        if before in line:
            yield line.replace(before, after), ""
    if m := _RETURNS.match(line):
        yield f"{m[1]}if false then {m[3]} end", f"{m[1]}if {m[2]} then {_SAY}; {m[3]} end"
    elif m := _LOOKS.match(line):
        if re.search(r"and .*(== 0|== ARGV)", m[2]):
            yield line.replace(m[2], "true"), f"{m[1]}if not ({m[2]}) then {_SAY} end\n{line}"
        else:
            yield line.replace(m[2], "false"), f"{line} {_SAY}"


_CALLS = re.compile(
    # Calls that renew a lease in time are left out: a lost lease costs a rebuild, and no promise.
    r"^(\s+)self\.(?:_forget|_find_orphans|_rebuild|dispatcher\.redispatch)\(\)$"
)
_BEFORE_NO_GUARD = ("self.core_use = CoreUse()",)  # a bridge is made
_RAISES = re.compile(r"^(\s+)raise (?:LeaseLost|StaleState)\(.*\)$")
_SAY_PYTHON = "__import__('faults.interleavings.reached').interleavings.reached.guards.add(NUMBER)"


def _of_python(root: Path) -> Iterator[Mutant]:
    for path in (
        *sorted((root / BRIDGE).glob("*.py")),
        *root.glob("vtox/pipeline/store/**/ledger.py"),
    ):
        lines = path.read_text().splitlines()
        for i, line in enumerate(lines):
            m = _CALLS.match(line) or _RAISES.match(line)
            if m is None or lines[i - 1].strip() in _BEFORE_NO_GUARD:
                continue
            # The line before it distinguishes it from other such lines.
            where, before = path.relative_to(root), "\n".join(lines[i - 1 : i + 1]) + "\n"
            changes = ((where, before, f"{lines[i - 1]}\n{m[1]}pass\n"),)
            said = f"{lines[i - 1]}\n{m[1]}{_SAY_PYTHON}\n{line}\n"
            probe = ((where, before, said),) if _RAISES.match(line) else ()
            yield Mutant(f"{path.name}:{i + 1} {line.strip()}", changes, probe)


def _put_back() -> Iterator[Mutant]:
    names = ("admit", "refuse", "lease", "family_progress")
    admit, refuse, lease, progress = (SCRIPTS / f"{n}.lua" for n in names)
    fence = (
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end\n"
    )
    at = "#redis.call('XPENDING', KEYS[2], ARGV[1], id, id, 1)"
    gone = f"if not found[a - 1] and {at} > 0 then"
    yield Mutant(
        "F1 a rebuild takes finished windows for open ones",
        ((progress, gone, "if not found[a - 1] then"),),
        ((progress, gone, f"if not found[a - 1] and {at} == 0 then {_SAY} end\n  {gone}"),),
    )
    renewed = "if ARGV[1] == 'renew' and holder ~= ARGV[2] then return 0 end"
    free = renewed.replace("holder ~=", "holder and holder ~=")
    yield Mutant(
        "F2 a lapsed lease that is free is renewed",
        ((lease, renewed, free),),
        ((lease, renewed, f"if ARGV[1] == 'renew' and not holder then {_SAY} end\n{renewed}"),),
    )
    yield Mutant(
        "F8 what was admitted before is judged again at a rebuild",
        ((BRIDGE / "admission.py", "    if progress is None:\n", "    if True:\n"),),
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
    trimmed = "    oldest = min(before, unfinished, key=_id)\n"
    yield Mutant(
        "a bridge trims windows that are unfinished",
        ((Path("vtox/pipeline/store/stream/window_log.py"), trimmed, "    oldest = before\n"),),
    )
    redone = "            if before is not row and"
    yield Mutant(
        "windows that are diagnosed again are recorded twice, if in one transaction",
        ((Path("vtox/reporting/history/redone.py"), redone, "            if False and"),),
    )
    moved = "    moved = update(positions).where(at_start)"
    yield Mutant(
        "a recorder writes a portion that another one has written",
        (
            (
                Path("vtox/reporting/history/writing.py"),
                moved,
                "    moved = update(positions).where(positions.c.stream == start.stream)",
            ),
        ),
    )
    past = "        if is_past(history, record, d.fault, latest_t):\n"
    yield Mutant(
        "a record that comes again is counted in its day again",
        ((HEALTH / "update.py", past, "        if False:\n"),),
    )
    days = "past = (past + _letter(day, rule))"
    yield Mutant(
        "the days before the last one are forgotten",
        ((HEALTH / "days.py", days, "past = _letter(day, rule)"),),
    )
