"""The study of broken bars over the records of an hour, as tables and goals."""

from evaluation.metrics import Rate
from evaluation.outcome import Answers, Goal, Outcome, Study, Table, select
from evaluation.runs.over_records import ALONE, OVER_RECORDS, RECORDS
from evaluation.seeds import Stage
from vtox.motor.alarms.health.sideband_mean import DEVELOPING_DBC

# Records at the end of the hour; a machine is decided if most of them are.
LAST = 8
# Noise leaves them open; others lack slip, length or load, or have another line.
NOISE = ("noise_hides_sidebands", "sidebands_in_noise")


def over_records_study(answers: Answers, stage: Stage) -> Study:
    """Return the machines that are decided at the end of the hour, and those called sound."""
    names = list(dict.fromkeys(o.tags["family"] for o in answers[ALONE]))
    rows = tuple(_row(name, answers) for name in names)
    columns = (
        "family",
        "sound: decided by each record alone",
        "over records",
        "noise leaves open, alone",
        "over records",
        f"broken, {DEVELOPING_DBC:.0f} dBc and above: called sound over records",
        "reported",
    )
    sound = _machines(select_faulty(answers[OVER_RECORDS], faulty=False))
    noisy, noisy_left = (_open_at_end(answers[key]) for key in (ALONE, OVER_RECORDS))
    called = _called_sound(answers[OVER_RECORDS])
    decided = Rate(sum(map(_decided, sound)), len(sound))
    text = (
        f"Machines at the grid, {stage.sentence}; currents and nameplate. Each gives {RECORDS} "
        "records of the length of the stream at one supply and load. A machine is decided if most "
        f"of its last {LAST} records are."
    )
    return Study(
        f"Broken bars over records, {stage.name} sets",
        text,
        (Table("By family", columns, rows),),
        (
            Goal(
                f"sound machines, currents and nameplate: decided after {RECORDS} records "
                f"({stage.name})",
                ">= 80 %",
                str(decided),
                decided.at_least(0.8),
            ),
            Goal(
                f"sound records at the end of the hour that noise leaves open ({stage.name})",
                "at most a quarter of those alone",
                f"{noisy_left}; alone {noisy}",
                4 * noisy_left <= noisy,
            ),
            Goal(
                f"broken cages of {DEVELOPING_DBC:.0f} dBc and above called sound over records "
                f"({stage.name})",
                "0",
                str(called),
                called.hits == 0,
            ),
        ),
    )


def select_faulty(some: list[Outcome], *, faulty: bool) -> list[Outcome]:
    """Return the outcomes of broken or of sound machines."""
    return [o for o in some if o.faulty == faulty]


def _row(name: str, answers: Answers) -> tuple[str, ...]:
    alone, over = (select(answers[key], family=name) for key in (ALONE, OVER_RECORDS))
    cells = []
    for some in (alone, over):
        machines = _machines(select_faulty(some, faulty=False))
        cells.append(str(Rate(sum(map(_decided, machines)), len(machines))))
    for some in (alone, over):
        cells.append(str(_open_at_end(some)))
    broken = _machines([o for o in over if o.faulty and o.tags["dbc"] >= DEVELOPING_DBC])
    reported = Rate(sum(any(o.alarm for o in m[-LAST:]) for m in broken), len(broken))
    return (name, *cells, str(_called_sound(over)), str(reported))


def _machines(some: list[Outcome]) -> list[list[Outcome]]:
    return [[o for o in some if o.machine == m] for m in dict.fromkeys(o.machine for o in some)]


def _open_at_end(some: list[Outcome]) -> int:
    """Return how many of the last records of sound machines noise leaves open."""
    sound = _machines(select_faulty(some, faulty=False))
    return sum(o.code in NOISE for m in sound for o in m[-LAST:])


def _decided(records: list[Outcome]) -> bool:
    return 2 * sum(o.alarm is not None for o in records[-LAST:]) > LAST


def _called_sound(over: list[Outcome]) -> Rate:
    """Return how many broken machines the mean over records calls sound in any record."""
    broken = _machines([o for o in over if o.faulty and o.tags["dbc"] >= DEVELOPING_DBC])
    called = [any(o.code == "no_sidebands_over_records" for o in m) for m in broken]
    return Rate(sum(called), len(called))
