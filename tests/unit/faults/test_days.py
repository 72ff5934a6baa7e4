"""The plain count of days, with which runs are compared."""

from faults.days import Days, Said, counted
from vtox.motor.faults import PERSISTENCE

RULE = PERSISTENCE["eccentricity"]
SHOWN = "wwnwwwwnwnn"
RECORDS = [
    Said(float(n + 1), n // 3, "warning" if x == "w" else "normal") for n, x in enumerate(SHOWN)
]


def test_records_that_come_again_count_on_no_day() -> None:
    expected = Days("wwwn", 2, 0, "warning", ("raised",))
    assert counted(RECORDS, RULE) == counted(RECORDS + RECORDS[:-1], RULE) == expected


def test_two_sound_days_end_an_alarm_of_days() -> None:
    sound = [Said(100.0 + n, 4 + n // 3, "normal") for n in range(6)]
    assert counted(RECORDS + sound, RULE) == Days("nnnn", 3, 0, "", ("raised", "cleared"))
