"""The study of bearings on bad shafts, as tables and goals."""

from collections import Counter
from collections.abc import Sequence

from evaluation.bad_shafts import SECONDS, TROUBLES
from evaluation.metrics import Rate
from evaluation.outcome import Answers, Goal, Outcome, Study, Table, abstentions, alarms
from evaluation.runs.bad_shafts import DAMAGED, SOUND

SHAFT = ("unbalance", "misalignment", "looseness", "coupling")


def bad_shaft_study(answers: Answers) -> Study:
    """Return how often a sound bearing on a bad shaft alarms, and which damaged ones are found."""
    sound = [o for o in answers[SOUND] if o.machine in SHAFT]
    rate = alarms(sound)
    text = (
        f"Simulated vibration of {SECONDS:g} s, one trouble a machine from below the noise to 20 "
        "dB above it; a third behind a drive. Bearings of eight geometries, one with its outer "
        "race at three times the shaft. The elements of sound bearings modulate the noise by up to "
        "10 %. Damage is -6 to 14 dB over the noise. `cage lags`: elements 1.5 to 4 % slower than "
        "kinematics; `speed swings`: by 2 % either way within a record."
    )
    return Study(
        "Bearings on bad shafts, simulated",
        text,
        (_sound_table(answers[SOUND]), _damaged_table(answers)),
        (
            Goal(
                "sound bearings on bad shafts",
                "<= 5 % alarms",
                str(rate),
                rate.at_most(0.05),
            ),
        ),
    )


def _sound_table(sound: Sequence[Outcome]) -> Table:
    rows = []
    for trouble in TROUBLES:
        some = [o for o in sound if o.machine == trouble]
        faults = Rate(sum(o.state == "fault" for o in some), len(some))
        codes = Counter(o.code for o in some if o.state == "unknown").most_common(2)
        reasons = ", ".join(f"{code} {n}" for code, n in codes)
        rows.append((trouble, str(alarms(some)), str(faults.hits), str(abstentions(some)), reasons))
    columns = ("trouble", "alarms", "of them faults", "abstained", "most")
    return Table("Sound bearings", columns, tuple(rows), detail=True)


def _damaged_table(answers: Answers) -> Table:
    rows = []
    for kind in DAMAGED:
        some = answers[kind]
        found = [o for o in some if o.alarm]
        named = Rate(sum(o.indicators.get("defect") == o.tags["defect"] for o in found), len(found))
        normal = Rate(sum(o.state == "normal" for o in some), len(some))
        rows.append((kind, str(alarms(some)), str(named), str(normal), str(abstentions(some))))
    columns = ("races", "found", "right part of those", "called normal", "abstained")
    return Table("Damaged races", columns, tuple(rows))
