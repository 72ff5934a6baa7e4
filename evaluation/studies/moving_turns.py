"""The study of turn shorts while the unbalance of the supply moves, as tables and goals."""

from evaluation import oracle
from evaluation.metrics import Rate
from evaluation.outcome import Answers, Goal, Outcome, Study, Table, alarms, both_hold
from evaluation.runs.moving_turns import KNOWN, LATER_SHIFT, LEARN_RECORDS, LEARN_S, MOTION, SHORTED
from evaluation.seeds import Stage


def moving_turn_study(answers: Answers, stage: Stage) -> Study:
    """Return the found shorts, the false alarms, and the decided share."""
    outcomes = answers[KNOWN]
    sound, bad = ([o for o in outcomes if o.faulty == faulty] for faulty in (False, True))
    limits = _limits(outcomes)
    decidable = [o for o in bad if o.tags["oracle"] > limits[o.tags["family"]]]
    decided = Rate(sum(o.alarm is not None for o in decidable), len(decidable))
    text = (
        f"Machine families that feed from the grid, {stage.name} sets; records of 1 s with "
        f"voltages, at any load of the family. V2/V1 moves by {MOTION:.2%} rms in every record, "
        f"also in the {LEARN_RECORDS} of {LEARN_S:g} s that the baseline is learnt from; after "
        f"that its mean differs from the one learnt by up to {LATER_SHIFT:.1%}.\n\n"
        "Decidable: the negative sequence less that of the true admittance, against its mean when "
        "learnt, exceeds what sound records of the family show in one of 1,000."
    )
    return Study(
        f"Turn shorts on a supply that moves, {stage.name} sets",
        text,
        (_machine_table(outcomes),),
        (
            Goal(
                f"1 % of turns, V2 moving by {MOTION:.2%} ({stage.name})",
                ">= 95 % found, <= 0.1 % false, shown on >= 3000",
                f"found {alarms(bad)}; false {alarms(sound)}",
                both_hold(alarms(bad).at_least(0.95), alarms(sound).at_most(1e-3, shown_on=3_000)),
            ),
            Goal(
                f"turns with voltages: decided of the decidable ({stage.name})",
                ">= 98 %",
                str(decided),
                decided.at_least(0.98),
            ),
        ),
    )


def _limits(outcomes: list[Outcome]) -> dict[str, float]:
    """Return the oracle's threshold by family."""
    return {
        family: oracle.threshold(
            [o.tags["oracle"] for o in outcomes if not o.faulty and o.tags["family"] == family]
        )
        for family in {o.tags["family"] for o in outcomes}
    }


def _machine_table(outcomes: list[Outcome]) -> Table:
    rows = []
    for name in dict.fromkeys(o.machine for o in outcomes):
        sound, bad = (
            [o for o in outcomes if o.machine == name and o.faulty == f] for f in (False, True)
        )
        decided = Rate(sum(o.alarm is not None for o in sound), len(sound))
        codes = ", ".join(sorted({o.code for o in sound if o.alarm is None}))
        rows.append((name, str(alarms(bad)), str(alarms(sound)), str(decided), codes))
    columns = ("machine", f"{SHORTED:.0%} found", "false alarms", "coverage of sound", "undecided")
    return Table("By machine", columns, tuple(rows), detail=True)
