"""Tables that every study has: three ways to count abstentions, reasons, peers."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation import metrics, peers
from evaluation.metrics import Rate
from evaluation.outcome import Outcome, Table, abstained, alarms, reasons, scores, worst


def counted(title: str, answers: Mapping[str, Sequence[Outcome]], note: str = "") -> Table:
    """Return detections, false alarms and accuracies with abstentions apart, a row per key."""
    rows = []
    for name, found in answers.items():
        faulty = [o for o in found if o.faulty]
        healthy = [o for o in found if not o.faulty]
        b = metrics.balanced([o.faulty for o in found], [o.alarm for o in found])
        decided = [o for o in found if o.alarm is not None]
        sure = np.array([o.confidence for o in decided], np.float64)
        right = np.array([o.alarm == o.faulty for o in decided], bool)
        rows.append(
            (
                name,
                str(alarms(faulty)),
                str(alarms(healthy)),
                str(abstained(found)),
                f"{_figure(b.decided, 3)} / {b.coverage:.2f} / {b.as_errors:.3f}",
                _figure(metrics.risk_coverage(sure, right), 4),
                _figure(metrics.calibration_error(sure, right), 3),
                "; ".join(w for w in (worst(found, faulty=f) for f in (True, False)) if w),
            )
        )
    accuracy = "balanced accuracy: decided / coverage / as errors"
    columns = ("known", "found", "false alarms", "abstained", accuracy, "AURC", "ECE")
    return Table(title, (*columns, "worst machine, of its decided"), tuple(rows), note)


def ranked(title: str, answers: Mapping[str, Sequence[Outcome]], note: str = "") -> Table:
    """Return what the scores of decided records are worth as a ranking, intervals by machine."""
    rows = []
    for name, found in answers.items():
        healthy, faulty = scores(found, False), scores(found, True)
        if not (len(healthy) and len(faulty)):
            rows.append((name, f"{len(healthy)} / {len(faulty)}", "", "", "", ""))
            continue
        low, high = interval(found)
        at = [metrics.detection_at(healthy, faulty, far) for far in (1e-2, 1e-3)]
        rows.append(
            (
                name,
                f"{len(healthy)} / {len(faulty)}",
                f"{metrics.auc(healthy, faulty):.4f} ({low:.3f}-{high:.3f})",
                f"{metrics.partial_auc(healthy, faulty):.3f}",
                *(share(p) for p in at),
            )
        )
    columns = ("known", "healthy / faulty decided", "AUC (95 %)", "pAUC to 1 %")
    return Table(title, (*columns, "found at FAR 1e-2", "at 1e-3"), tuple(rows), note)


def _figure(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def share(value: float) -> str:
    """Return a share in per cent; NaN: the healthy records do not resolve it."""
    return "too few healthy" if np.isnan(value) else f"{100 * value:.1f} %"


def interval(found: Sequence[Outcome]) -> tuple[float, float]:
    """Return the 95 % interval of the AUC of decided records, whole machines drawn again."""
    kept = [o for o in found if o.alarm is not None and np.isfinite(o.score)]
    if not kept:
        return float("nan"), float("nan")
    score = np.array([o.score for o in kept])
    bad = np.array([o.faulty for o in kept])

    def area(i: np.typing.NDArray[np.intp]) -> float:
        return metrics.auc(score[i][~bad[i]], score[i][bad[i]])

    return metrics.bootstrap([o.machine for o in kept], area, draws=200)


def why(title: str, answers: Mapping[str, Sequence[Outcome]]) -> Table:
    """Return the commonest reasons of abstention."""
    rows = [(k, head, str(n)) for k, found in answers.items() for head, n in reasons(found)]
    return Table(title, ("known", "reason", "records"), tuple(rows))


def beside(
    title: str, found: Sequence[Outcome], names: Sequence[str], note: str = "", own: str = "VTOX"
) -> Table:
    """Return the verdicts of peers on the records they saw, and VTOX's on the same."""
    seen = [o for o in found if o.peers]
    missing = {n for n, version in peers.versions().items() if version is None}
    rows = [_verdicts(own, seen, {id(o): _word(o.alarm) for o in seen})]
    for name in names:
        if any(name.startswith(m) for m in missing):
            rows.append((name, "not installed", "", "", ""))
            continue
        rows.append(_verdicts(name, seen, {id(o): o.peers[name] for o in seen}))
    columns = ("who", "found", "false alarms", "refused", "calls the record unreliable")
    return Table(title, columns, tuple(rows), note)


def _word(alarm: bool | None) -> str:
    return "refused" if alarm is None else "yes" if alarm else "no"


def _verdicts(
    name: str, seen: Sequence[Outcome], said: Mapping[int, str | None]
) -> tuple[str, ...]:
    faulty = [said[id(o)] for o in seen if o.faulty]
    healthy = [said[id(o)] for o in seen if not o.faulty]
    words = faulty + healthy
    doubted = sum((w or "").endswith("?") for w in words)
    return (
        name,
        str(Rate(_yes(faulty), len(faulty))),
        str(Rate(_yes(healthy), len(healthy))),
        str(Rate(words.count("refused"), len(words))),
        f"{doubted} of {len(words)}" if doubted else "",
    )


def _yes(words: Sequence[str | None]) -> int:
    """Count the alarms, those of records that the package itself doubts among them."""
    return words.count("yes") + words.count("yes?")
