"""Trials of runs, starts and supplies outside a profile: made where they are possible."""

from collections import Counter

import numpy as np
import pytest

from evaluation.profile_conditions import condition_trials
from evaluation.profile_days import machine_days
from vtox.motor.alarms.profile.advance import advance
from vtox.motor.alarms.profile.values import DAY_MIN, LEARNING_DAYS, Profile


@pytest.mark.long
def test_each_condition_of_a_conveyor_is_tried() -> None:
    days = machine_days(np.random.default_rng([7, 2]), "conveyor")
    p, found = Profile(), Counter[str]()
    for k in range((LEARNING_DAYS + 7) * DAY_MIN):
        if k > LEARNING_DAYS * DAY_MIN and k % 60 == 0:
            found.update(condition_trials(days, p, k, found))
        advance(p, days.minute(k), days.site)
    names = {k.split(": ")[0] for k in found}
    assert {"run outside its hours", "starts often", "single phase"} <= names
    assert max(found.values()) == 3
