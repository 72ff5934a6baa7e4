"""The study of the widened vibration, as tables and goals."""

from collections import Counter
from collections.abc import Mapping, Sequence

from evaluation import oracle
from evaluation.alerts import AlertRate, alert_rate
from evaluation.families.vibration import SHAFT_TROUBLES
from evaluation.metrics import Rate
from evaluation.outcome import Answers, Goal, Outcome, Study, Table, alarms, both_hold
from evaluation.runs.bearing_decoys import (
    AGAIN,
    MAX_SIZE_BESIDE_DAMAGE,
    MORE_RECORDS,
    MOVEMENTS,
    RECORDS,
    SOUND,
)
from evaluation.seeds import Stage
from evaluation.studies.machines import DAYS, alert_goal

# Races from this level on, steady or by 2 %, are to be found.
CLEAR_DB = 0.0


def bearing_decoy_study(answers: Answers, stage: Stage) -> Study:
    """Return false alarms by trouble, and the found share of damaged races by level."""
    sound = answers[SOUND]
    shafts = [o for o in sound if o.tags["trouble"] in SHAFT_TROUBLES]
    others = [o for o in sound if o.tags["trouble"] not in SHAFT_TROUBLES]
    limit = oracle.threshold(
        [o.tags["oracle"] for o in sound if o.tags["size"] <= MAX_SIZE_BESIDE_DAMAGE]
    )
    rates = _alert_rates(answers, stage)
    text = (
        f"Simulated vibration of 4 s, {stage.name} sets. Sound: {RECORDS} records of each of "
        f"{len({o.machine for o in sound})} machines, their trouble from below the noise to 20 dB "
        "above it. Damaged: another machine each record, its trouble at most as strong as the "
        "noise.\n\n0 dB: ringing and noise have the same RMS, coloured by the same resonances. "
        "Decidable: the comb at the true orders, in the best band and in the true angle of the "
        "shaft, exceeds what sound records with troubles of that size show in one of 1,000."
    )
    return Study(
        f"Bearings among decoys, {stage.name} sets",
        text,
        (_sound_table(sound), _alert_table(rates), _damaged_table(answers, limit)),
        (
            Goal(
                f"sound bearings on bad shafts ({stage.name})",
                "<= 5 % of records",
                str(alarms(shafts)),
                alarms(shafts).at_most(0.05, shown_on=1_000),
            ),
            Goal(
                f"sound bearings among other decoys ({stage.name})",
                "<= 0.5 % of records",
                str(alarms(others)),
                alarms(others).at_most(0.005, shown_on=600),
            ),
            alert_goal("bearing", rates, stage),
            _found_goal(answers, stage),
            _decided_goal(answers, limit, stage),
        ),
    )


def _sound_table(sound: Sequence[Outcome]) -> Table:
    rows = []
    for trouble in dict.fromkeys(o.tags["trouble"] for o in sound):
        some = [o for o in sound if o.tags["trouble"] == trouble]
        faults = sum(o.state == "fault" for o in some)
        machines = {o.machine for o in some}
        bad = Rate(len({o.machine for o in some if o.alarm}), len(machines))
        decided = Rate(sum(o.alarm is not None for o in some), len(some))
        codes = Counter(o.code for o in some if o.alarm or o.alarm is None).most_common(3)
        said = ", ".join(f"{code} {n}" for code, n in codes)
        rows.append((trouble, str(alarms(some)), str(faults), str(bad), str(decided), said))
    columns = ("trouble", "records alarmed", "as fault", "machines alarmed", "coverage")
    heads = (*columns, "alarms and abstentions, most")
    return Table("Sound bearings", heads, tuple(rows), detail=True)


def _alert_rates(answers: Answers, stage: Stage) -> dict[tuple[str, str], AlertRate]:
    """Return the alerts by trouble; machines that alarmed count with all their records."""
    alarmed = {o.machine for o in answers[AGAIN]}
    outcomes = [o for o in answers[SOUND] if o.machine not in alarmed] + answers[AGAIN]
    return {
        ("bearing", trouble): alert_rate(
            [o for o in outcomes if o.tags["trouble"] == trouble], days=DAYS, seed=stage.seed
        )
        for trouble in dict.fromkeys(o.tags["trouble"] for o in outcomes)
    }


def _alert_table(rates: Mapping[tuple[str, str], AlertRate]) -> Table:
    rows = tuple((trouble, str(rate)) for (_, trouble), rate in rates.items() if rate.raised)
    note = (
        f"{DAYS:.0f} days of each machine by the persistence of the product; one that alarmed in "
        f"its first {RECORDS} records by {MORE_RECORDS} further ones, drawn again and "
        "again. Rows without an alert are left out."
    )
    return Table("False alerts after persistence", ("trouble", "alerts"), rows, note)


def _damaged_table(answers: Answers, limit: float) -> Table:
    rows = []
    for movement in MOVEMENTS:
        for db in dict.fromkeys(o.tags["db"] for o in answers[movement]):
            some = [o for o in answers[movement] if o.tags["db"] == db]
            decidable = _decidable(some, limit)
            decided = Rate(sum(o.alarm is not None for o in decidable), len(decidable))
            rows.append(
                (
                    movement,
                    f"{db:+.0f} dB",
                    str(alarms(some)),
                    str(_rightly_named(some)),
                    str(Rate(sum(o.state == "normal" for o in some), len(some))),
                    str(Rate(sum(o.alarm is not None for o in some), len(some))),
                    str(Rate(len(decidable), len(some))),
                    str(decided),
                )
            )
    columns = ("movement", "damage", "found", "right part of those", "called normal", "coverage")
    heads = (*columns, "decidable", "decided of them")
    return Table("Damaged races", heads, tuple(rows), detail=True)


def _rightly_named(outcomes: Sequence[Outcome]) -> Rate:
    """Return the share whose part is right, of those found that name one."""
    named = [o for o in outcomes if o.alarm and o.indicators.get("defect")]
    right = sum(o.indicators["defect"] == o.tags["defect"] for o in named)
    return Rate(right, len(named))


def _decidable(outcomes: Sequence[Outcome], limit: float) -> list[Outcome]:
    return [o for o in outcomes if o.tags["oracle"] > limit]


def _found_goal(answers: Answers, stage: Stage) -> Goal:
    clear = [o for m in MOVEMENTS[:3] for o in answers[m] if o.tags["db"] >= CLEAR_DB]
    found, named = alarms(clear), _rightly_named(clear)
    return Goal(
        f"races of {CLEAR_DB:.0f} dB and more, steady or by 2 % ({stage.name})",
        ">= 90 % found; >= 97 % of those named right",
        f"found {found}; right {named}",
        both_hold(found.at_least(0.9), named.at_least(0.97)),
    )


def _decided_goal(answers: Answers, limit: float, stage: Stage) -> Goal:
    some = _decidable([o for m in MOVEMENTS for o in answers[m]], limit)
    decided = Rate(sum(o.alarm is not None for o in some), len(some))
    return Goal(
        f"bearings: decided of the decidable ({stage.name})",
        ">= 85 %",
        str(decided),
        decided.at_least(0.85),
    )
