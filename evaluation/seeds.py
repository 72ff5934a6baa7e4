"""Seeds of the widened sets: of the design ones, and of the final ones from the frozen thresholds.

Design sets may be looked at while rules are made. Final sets differ from them in family too. Their
seed is the hash of the last commit that touched the diagnosers, so no author has seen them before.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FROZEN = ("vtox/motor/diagnosis/diagnosers", "vtox/motor/diagnosis/dsp")
DESIGN_SEED = 20_261_126
HASH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Stage:
    """The sets of a run: `final` ones or those of the design, and the seed of all their draws."""

    final: bool = False
    seed: int = DESIGN_SEED
    commit: str = ""  # the one that froze the thresholds, for final sets

    @property
    def name(self) -> str:
        """Name of the stage in tables."""
        return "final" if self.final else "design"

    @property
    def sentence(self) -> str:
        """Origin of the seed, for the page."""
        if not self.final:
            return f"design sets (seed {self.seed}): rules may have been made looking at them"
        return (
            f"final sets: their seed is that of commit {self.commit[:HASH_DIGITS]}, the last one "
            f"that touched {' or '.join(FROZEN)}; run once"
        )


def stage(*, final: bool, commit: str = "") -> Stage:
    """Return the design stage, or the final one of `commit` (by default: as git says)."""
    if not final:
        return Stage()
    commit = commit or freezing_commit()
    return Stage(final=True, seed=int(commit[:HASH_DIGITS], 16), commit=commit)


def freezing_commit() -> str:
    """Return the hash of the last commit that touched the diagnosers; none may be uncommitted."""
    if changed := _git("status", "--porcelain", "--", *FROZEN):
        raise SystemExit(f"final sets need frozen thresholds, but these are changed:\n{changed}")
    return _git("log", "-1", "--format=%H", "--", *FROZEN)


def _git(*words: str) -> str:
    command = ["git", "-C", str(ROOT), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
