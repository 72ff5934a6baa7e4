"""The study of advice: which abstentions it ends, as tables and a goal."""

from collections import Counter
from collections.abc import Sequence

from evaluation.metrics import Rate
from evaluation.outcome import Goal, Study, Table
from evaluation.runs.advice import STEPS, Tried
from evaluation.seeds import Stage
from vtox.motor.alarms.coverage.unlocks import CODES, unlock


def advice_study(tried: Sequence[Tried], stage: Stage) -> Study:
    """Return how often the advice of each code ended in a decision."""
    by_code: dict[tuple[str, str], list[Tried]] = {}
    for t in tried:
        by_code.setdefault((t.code, t.fault), []).append(t)
    ended = {key: any(t.decided for t in some) for key, some in by_code.items()}
    text = (
        f"Sound machines that lack something, or whose input is broken; {stage.sentence}. What the "
        f"code names is put right, and what the next code names, {STEPS} times at most."
    )
    rate = Rate(sum(ended.values()), len(ended))
    unreached = sorted(CODES - {t.code for t in tried})
    return Study(
        f"Advice, {stage.name} sets",
        text,
        (
            Table(
                "Advice that ends the unknown",
                ("code", "fault", "what decides it", "decided", "put right in turn, most often"),
                tuple(_row(key, some) for key, some in sorted(by_code.items()) if ended[key]),
            ),
            Table(
                "Nothing decides this",
                ("code", "fault", "what is advised", "decided", "put right in turn, most often"),
                tuple(_row(key, some) for key, some in sorted(by_code.items()) if not ended[key]),
                "On a sound machine with all channels; where a code comes last, it is in the row.",
            ),
            Table(
                "Codes that no machine here gives",
                ("what would decide them", "codes"),
                tuple(
                    (what, ", ".join(f"`{c}`" for c in unreached if unlock(c) == what))
                    for what in sorted({unlock(c) for c in unreached})
                ),
            ),
        ),
        (
            Goal(
                f"advice: pairs of code and fault that it decides ({stage.name})",
                ">= 90 %",
                str(rate),
                rate.at_least(0.9) if rate.n else None,
            ),
        ),
    )


def _row(key: tuple[str, str], some: Sequence[Tried]) -> tuple[str, ...]:
    code, fault = key
    usual, _ = Counter((t.remedies, "" if t.decided else t.last) for t in some).most_common(1)[0]
    way = ", ".join(usual[0]) + (f"; still `{usual[1]}`" if usual[1] else "")
    decided = Rate(sum(t.decided for t in some), len(some))
    return (f"`{code}`", fault, unlock(code), f"{decided.hits} of {decided.n}", way)
