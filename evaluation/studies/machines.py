"""The study of the machine families, as tables and goals: false alarms, coverage, broken bars."""

from collections import Counter
from collections.abc import Mapping, Sequence

from evaluation import oracle
from evaluation.alerts import AlertRate, alert_rate
from evaluation.metrics import Rate
from evaluation.outcome import Answers, Goal, Outcome, Study, Table, alarms, both_hold
from evaluation.runs.machines import CAGE, CIRCUIT, EVERYTHING, KNOWN, LEARN_RECORDS, answer_name
from evaluation.seeds import Stage

# Simulated days of each machine; and of a family, for its goal.
DAYS, LEAST_DAYS = 2.0, 10.0
# Sidebands from here on must not be called normal.
CLEAR_DBC = -48.0


def machine_study(answers: Answers, stage: Stage) -> Study:
    """Return false alarms and coverage by family, and the detection of broken bars."""
    sound = {n: [o for o in x if not o.faulty] for n, x in answers.items()}
    every = [o for x in sound.values() for o in x]
    cage = {known: answers[answer_name(known, CAGE)] for known in KNOWN}
    rates = {
        (name, family): alert_rate(some, days=DAYS, seed=stage.seed)
        for name, x in sound.items()
        for family, some in _by_family(x).items()
    }
    text = (
        f"Motor model, {stage.name} sets. {len({o.machine for o in every})} machines of "
        f"{len({o.tags['family'] for o in every})} families, 10 to 20 s a record. A machine drives "
        f"one load of its family and meets all its supplies; its baseline is of {LEARN_RECORDS} "
        "records.\n\nAn alarm counts the record; next to it, how many machines ever alarm. Three "
        "records in a row are of one condition; the days are made of such blocks, drawn again and "
        "again (block bootstrap), by the persistence of the product."
    )
    return Study(
        f"Machine families, {stage.name} sets",
        text,
        (
            _family_table(sound),
            _alarm_table(every),
            _abstention_table(sound),
            _alert_table(rates),
            _cage_table(cage),
        ),
        (
            _sound_goal(sound, stage),
            alert_goal("currents", rates, stage),
            *_cage_goals(cage, stage),
        ),
    )


def _family_table(sound: Answers) -> Table:
    rows = []
    for name, outcomes in sound.items():
        for family, some in _by_family(outcomes).items():
            decided = Rate(sum(o.alarm is not None for o in some), len(some))
            if not decided.hits:
                continue
            faults = sum(o.state == "fault" for o in some)
            rows.append(
                (name, family, str(alarms(some)), str(faults), _machines(some), str(decided))
            )
    columns = ("fault and known", "family", "records alarmed", "as fault", "machines alarmed")
    note = "Rows without a decided record are left out."
    return Table("Sound machines", (*columns, "coverage"), tuple(rows), note, detail=True)


def _machines(outcomes: Sequence[Outcome]) -> str:
    """Return the share of machines that alarm at all."""
    machines = {o.machine for o in outcomes}
    return str(Rate(len({o.machine for o in outcomes if o.alarm}), len(machines)))


def _alarm_table(sound: Sequence[Outcome]) -> Table:
    counts = Counter(
        (o.tags["family"], o.tags["supply"], o.tags["load"], o.state, o.code)
        for o in sound
        if o.alarm
    )
    rows = tuple((*map(str, key), str(n)) for key, n in counts.most_common(20))
    columns = ("family", "supply", "load", "state", "code", "diagnoses")
    return Table("False alarms, commonest", columns, rows)


def _abstention_table(sound: Answers) -> Table:
    rows = []
    for name, outcomes in sound.items():
        codes = Counter(o.code for o in outcomes if o.alarm is None).most_common(4)
        rows.append((name, ", ".join(f"{code} {n}" for code, n in codes)))
    columns = ("fault and known", "codes")
    return Table("Why sound records are undecided", columns, tuple(rows), detail=True)


def _alert_table(rates: Mapping[tuple[str, str], AlertRate]) -> Table:
    rows = tuple((*key, str(rate)) for key, rate in rates.items() if rate.raised)
    note = f"Rows without an alert are left out: 0 in {DAYS:.0f} days of each machine."
    return Table("False alerts after persistence", ("known", "family", "alerts"), rows, note)


def alert_goal(what: str, rates: Mapping[tuple[str, str], AlertRate], stage: Stage) -> Goal:
    """Return the goal of false alerts: the family with the most."""
    name = f"false alerts per machine-day, {what}, worst family ({stage.name})"
    if not rates:
        return Goal(name, "<= 0.1", "", None)
    (_, family), worst = max(rates.items(), key=lambda x: x[1].per_day)
    met = worst.per_day <= 0.1 if worst.days >= LEAST_DAYS else None
    return Goal(name, f"<= 0.1, shown on >= {LEAST_DAYS:.0f} days", f"{family}: {worst}", met)


def _cage_table(cage: Answers) -> Table:
    rows = []
    for known, outcomes in cage.items():
        for family, some in _by_family(outcomes).items():
            bad = [o for o in some if o.faulty]
            clear = [o for o in bad if o.tags["dbc"] >= CLEAR_DBC]
            rows.append(
                (
                    known,
                    family,
                    str(alarms(clear, of_decided=True)),
                    str(sum(o.state == "normal" for o in clear)),
                    str(Rate(sum(o.alarm is not None for o in clear), len(clear))),
                    str(Rate(len(decidable(some)), len(bad))),
                    str(_decided_of_decidable(some)),
                    str(_decided_of_decidable(some, CIRCUIT)),
                )
            )
    columns = (
        "known",
        "family",
        f"{CLEAR_DBC:.0f} dBc and above: found, of decided",
        "called normal",
        "coverage",
        "decidable, all levels",
        "decided of the decidable",
        "of the decidable by circuit",
    )
    note = (
        "Level: the lower sideband were supply and load quiet. Decidable: the amplitude at the "
        f"true slip, less {oracle.NOISE_FACTOR:g} times the noise next to it, exceeds what sound "
        "records of the family show in one of 1,000 (exponential tail). By circuit: the same in "
        "the current less what the true circuit, were it sound, would draw from the voltages at "
        "the true speed, so that supply and load hide nothing."
    )
    return Table("Broken bars", columns, tuple(rows), note, detail=True)


def decidable(outcomes: Sequence[Outcome], by: str = "oracle") -> list[Outcome]:
    """Return the faulty records of one family that an oracle gets right."""
    limit = oracle.threshold([o.tags[by] for o in outcomes if not o.faulty])
    return [o for o in outcomes if o.faulty and o.tags[by] > limit]


def _decided_of_decidable(outcomes: Sequence[Outcome], by: str = "oracle") -> Rate:
    some = decidable(outcomes, by)
    return Rate(sum(o.alarm is not None for o in some), len(some))


def _sound_goal(sound: Answers, stage: Stage) -> Goal:
    """Return the goal of sound machines: the worst family and knowledge, over all faults."""
    worst, where = Rate(0, 0), ""
    for known in KNOWN:
        by_fault = [x for name, x in sound.items() if name.endswith(known)]
        for family in dict.fromkeys(o.tags["family"] for x in by_fault for o in x):
            some = [[o.alarm is True for o in x if o.tags["family"] == family] for x in by_fault]
            alarmed = [any(flags) for flags in zip(*some, strict=True)]
            rate = Rate(sum(alarmed), len(alarmed))
            if not worst.n or rate.value > worst.value:
                worst, where = rate, f"{family}, {known}: "
    return Goal(
        f"sound machines, any current fault, worst family ({stage.name})",
        "<= 0.5 % of records, shown on >= 600",
        f"{where}{worst}",
        worst.at_most(0.005, shown_on=600),
    )


def _cage_goals(cage: Answers, stage: Stage) -> tuple[Goal, ...]:
    """Return the goals of clear bars at any knowledge, and of the share decided by all channels."""
    clear = [o for x in cage.values() for o in x if o.faulty and o.tags["dbc"] >= CLEAR_DBC]
    normal = Rate(sum(o.state == "normal" for o in clear), len(clear))
    found = alarms(clear, of_decided=True)
    shares = [_decided_of_decidable(some) for some in _by_family(cage[EVERYTHING]).values()]
    share = Rate(sum(r.hits for r in shares), sum(r.n for r in shares))
    return (
        Goal(
            f"broken bars of {CLEAR_DBC:.0f} dBc and above, all knowledge ({stage.name})",
            "none normal; >= 97 % of decided found",
            f"normal {normal}; found {found}",
            both_hold(normal.at_most(0), found.at_least(0.97)),
        ),
        Goal(
            f"rotor cage, all channels: decided of the decidable ({stage.name})",
            ">= 80 %",
            str(share),
            share.at_least(0.8),
        ),
    )


def _by_family(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for o in outcomes:
        found.setdefault(o.tags["family"], []).append(o)
    return found
