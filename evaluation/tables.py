"""Tables that several studies have: detection, ranking, abstentions, other packages."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation import metrics, peers
from evaluation.metrics import Rate
from evaluation.outcome import (
    Outcome,
    Table,
    abstentions,
    alarms,
    commonest_codes,
    scores,
    worst_machine,
)


def detection_table(title: str, answers: Mapping[str, Sequence[Outcome]]) -> Table:
    """Return detections, false alarms, abstentions and accuracies, a row per key."""
    rows = []
    for name, outcomes in answers.items():
        faulty = [o for o in outcomes if o.faulty]
        healthy = [o for o in outcomes if not o.faulty]
        b = metrics.balanced_accuracy([o.faulty for o in outcomes], [o.alarm for o in outcomes])
        decided = [o for o in outcomes if o.alarm is not None]
        sure = np.array([o.confidence for o in decided], np.float64)
        right = np.array([o.alarm == o.faulty for o in decided], bool)
        rows.append(
            (
                name,
                str(alarms(faulty)),
                str(alarms(healthy)),
                str(abstentions(outcomes)),
                f"{_number(b.decided, 3)} / {b.coverage:.2f} / {b.as_errors:.3f}",
                _number(metrics.risk_coverage_area(sure, right), 4),
                _number(metrics.calibration_error(sure, right), 3),
                "; ".join(
                    w for w in (worst_machine(outcomes, faulty=f) for f in (True, False)) if w
                ),
            )
        )
    accuracy = "balanced accuracy: decided / coverage / as errors"
    columns = ("known", "found", "false alarms", "abstained", accuracy, "AURC", "ECE")
    return Table(title, (*columns, "worst machine, of its decided"), tuple(rows))


def ranking_table(title: str, answers: Mapping[str, Sequence[Outcome]], note: str = "") -> Table:
    """Return how well the scores of decided records separate faulty from healthy ones.

    It is printed only: the page has the curves as a picture.
    """
    rows = []
    for name, outcomes in answers.items():
        healthy, faulty = scores(outcomes, False), scores(outcomes, True)
        if not (len(healthy) and len(faulty)):
            rows.append((name, f"{len(healthy)} / {len(faulty)}", "", "", "", ""))
            continue
        low, high = auc_interval(outcomes)
        at = [metrics.detection_rate_at(healthy, faulty, far) for far in (1e-2, 1e-3)]
        rows.append(
            (
                name,
                f"{len(healthy)} / {len(faulty)}",
                f"{metrics.auc(healthy, faulty):.4f} ({low:.3f}-{high:.3f})",
                f"{metrics.partial_auc(healthy, faulty):.3f}",
                *(percent(p) for p in at),
            )
        )
    columns = ("known", "healthy / faulty decided", "AUC (95 %)", "pAUC to 1 %")
    heads = (*columns, "found at FAR 1e-2", "at 1e-3")
    return Table(title, heads, tuple(rows), note, detail=True)


def _number(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def percent(value: float) -> str:
    """Return a share in per cent as text; NaN: too few healthy records for it."""
    return "too few healthy" if np.isnan(value) else f"{100 * value:.1f} %"


def auc_interval(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Return the 95 % interval of the AUC of decided records, whole machines resampled."""
    decided = [o for o in outcomes if o.alarm is not None and np.isfinite(o.score)]
    if not decided:
        return float("nan"), float("nan")
    score = np.array([o.score for o in decided])
    bad = np.array([o.faulty for o in decided])

    def area(i: np.typing.NDArray[np.intp]) -> float:
        return metrics.auc(score[i][~bad[i]], score[i][bad[i]])

    return metrics.bootstrap([o.machine for o in decided], area, draws=200)


def abstention_table(title: str, answers: Mapping[str, Sequence[Outcome]]) -> Table:
    """Return the commonest codes of abstentions, each with the sentence of its first record."""
    rows = [
        (known, code, sentence, str(n))
        for known, outcomes in answers.items()
        for code, sentence, n in commonest_codes(outcomes)
    ]
    columns = ("known", "code", "for example", "records")
    return Table(title, columns, tuple(rows), detail=True)


def peer_table(
    title: str, outcomes: Sequence[Outcome], names: Sequence[str], note: str = "", own: str = "VTOX"
) -> Table:
    """Return the answers of other packages, and those of VTOX to the same records."""
    compared = [o for o in outcomes if o.peers]
    missing = {n for n, version in peers.versions().items() if version is None}
    rows = [_peer_row(own, compared, {id(o): _alarm_word(o.alarm) for o in compared})]
    for name in names:
        if any(name.startswith(m) for m in missing):
            rows.append((name, "not installed", "", "", ""))
            continue
        rows.append(_peer_row(name, compared, {id(o): o.peers[name] for o in compared}))
    columns = ("package", "found", "false alarms", "abstained", "calls the record unreliable")
    return Table(title, columns, tuple(rows), note)


def _alarm_word(alarm: bool | None) -> str:
    return "refused" if alarm is None else "yes" if alarm else "no"


def _peer_row(
    name: str, compared: Sequence[Outcome], answers: Mapping[int, str | None]
) -> tuple[str, ...]:
    faulty = [answers[id(o)] for o in compared if o.faulty]
    healthy = [answers[id(o)] for o in compared if not o.faulty]
    words = faulty + healthy
    unreliable = sum((w or "").endswith("?") for w in words)
    return (
        name,
        str(Rate(_count_alarms(faulty), len(faulty))),
        str(Rate(_count_alarms(healthy), len(healthy))),
        str(Rate(words.count("refused"), len(words))),
        f"{unreliable} of {len(words)}" if unreliable else "",
    )


def _count_alarms(words: Sequence[str | None]) -> int:
    """Return the number of alarms, those of records that the package calls unreliable included."""
    return words.count("yes") + words.count("yes?")
