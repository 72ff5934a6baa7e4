"""The study of commissioning: mistakes of wiring and nameplates found, sound ones left alone."""

from collections import Counter
from collections.abc import Sequence

from evaluation.metrics import Rate
from evaluation.outcome import Goal, Study, Table
from evaluation.runs.commissioning import MISTAKES, SECONDS, SOUND, CommissioningOutcome
from evaluation.seeds import Stage

SHOWN_ON = 500


def commissioning_study(outcomes: Sequence[CommissioningOutcome], stage: Stage) -> Study:
    """Return how many mistakes are found, how many sound installations are not left alone."""
    sound = [o for o in outcomes if o.kind == SOUND]
    wrong = [o for o in outcomes if o.kind != SOUND]
    flagged = Rate(sum(bool(o.codes) for o in sound), len(sound))
    found = Rate(sum(bool(o.codes) for o in wrong), len(wrong))
    proposed = [o for o in wrong if o.healed is not None]
    healed = Rate(sum(bool(o.healed) for o in proposed), len(proposed))
    text = (
        f"Installations of the machine families, {stage.name} sets; one record of {SECONDS:g} s "
        "with three currents and voltages and a complete nameplate, at any load and supply of the "
        "family.\n\nEach has some mistakes, made by permuting, reversing and scaling "
        "the channels or changing the nameplate. Found: at least one finding, or a nameplate that "
        "is refused. Healed: nothing is found once the proposed channel map is applied."
    )
    rows = (
        ("mistakes found", str(found)),
        ("sound installations with a finding", str(flagged)),
        ("proposed channel maps that correct", str(healed)),
    )
    return Study(
        f"Commissioning, {stage.name} sets",
        text,
        (Table("In short", ("what", "result"), rows), _kinds(wrong), _flagged(sound)),
        (
            Goal(
                f"commissioning: mistakes found ({stage.name})",
                ">= 95 %",
                str(found),
                found.at_least(0.95),
            ),
            Goal(
                f"commissioning: sound installations with a finding ({stage.name})",
                f"none of {SHOWN_ON}",
                str(flagged),
                flagged.at_most(0.0, shown_on=SHOWN_ON),
            ),
        ),
    )


def _kinds(wrong: Sequence[CommissioningOutcome]) -> Table:
    rows = []
    for kind in MISTAKES:
        some = [o for o in wrong if o.kind == kind]
        if some:
            codes = Counter(code for o in some for code in o.codes)
            proposed = [o for o in some if o.healed is not None]
            healed = f"{sum(bool(o.healed) for o in proposed)} of {len(proposed)}"
            found = f"{sum(bool(o.codes) for o in some)} of {len(some)}"
            said = ", ".join(f"{code} {n}" for code, n in codes.most_common())
            rows.append((kind, found, said, healed if proposed else "-"))
    columns = ("mistake", "found", "codes", "healed")
    return Table("Mistakes", columns, tuple(rows), detail=True)


def _flagged(sound: Sequence[CommissioningOutcome]) -> Table:
    rows = tuple((o.family, ", ".join(o.codes)) for o in sound if o.codes)
    return Table("Sound installations with a finding", ("family", "codes"), rows)
