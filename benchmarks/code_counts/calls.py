"""Calls a record that the diagnosers of each family take, in batches of each size.

Run as a file with `PYTHONPATH` of a checkout, it counts those of that checkout.
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":  # perhaps for another checkout
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    import_module("older_checkouts")

from benchmarks.diagnosers import first_seconds, questions, samples_of_machines
from vtox.motor.diagnosis.diagnosis import diagnose_batch
from vtox.motor.faults import FAMILIES

BATCHES = (32, 256)


def count_calls(run: Callable[[], object]) -> int:
    """Return how many functions a call enters, of Python and of C."""
    calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
    return calls - 1  # that of `setprofile`


def calls_per_record() -> dict[str, list[int]]:
    """Return the calls a record by family, for each size of batch.

    The records are those of `benchmarks.diagnosers`, as often as a batch needs them.
    """
    whole = questions(samples_of_machines(max(f.min_record_s for f in FAMILIES.values())))
    found: dict[str, list[int]] = {}
    for name, family in FAMILIES.items():
        cases = first_seconds(whole, family.min_record_s)
        found[name] = []
        for size in BATCHES:
            batch = (cases * (size // len(cases)))[:size]

            def diagnose(batch: list = batch, faults: tuple[str, ...] = family.faults) -> None:  # type: ignore[type-arg]
                diagnose_batch(batch, faults)

            diagnose()  # what is kept for later calls is made
            found[name].append(round(count_calls(diagnose) / size))
    return found


if __name__ == "__main__":
    print(json.dumps(calls_per_record()))
