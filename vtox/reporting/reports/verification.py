"""Computes the verdicts of a report again, and says where they differ."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from vtox.motor.values.plain_data import digits
from vtox.reporting.reports import making
from vtox.reporting.reports.contents import Environment, baseline_of, motor_of, recording_of
from vtox.reporting.reports.document import Report
from vtox.reporting.reports.environment import environment
from vtox.reporting.reports.errors import ReportError


@dataclass(frozen=True, slots=True)
class _Difference:
    """A value that is another one when computed again, both as plain data."""

    record: str
    fault: str
    value: str
    reported: Any
    computed: Any

    @property
    def shows(self) -> bool:
        """Whether people see it: in the digits that are printed."""
        return digits(self.reported) != digits(self.computed)


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of the comparison.

    `page_agrees` is None if another version drew the page, or if this installation draws none.
    """

    verdicts: int
    here: Environment
    same_environment: bool
    differences: tuple[_Difference, ...]
    page_agrees: bool | None

    @property
    def exact(self) -> bool:
        """Whether every verdict is the same bit for bit."""
        return not self.differences

    @property
    def agrees(self) -> bool:
        """Whether states, codes and printed digits agree, and every bit in the same environment."""
        if self.same_environment and not self.exact:
            return False
        return self.page_agrees is not False and not any(d.shows for d in self.differences)


def verify(report: Report) -> Verification:
    """Compute the verdicts of a report again by the code that is installed here.

    Raises `ReportError`: its contents cannot be diagnosed.
    """
    contents = report.contents
    motor, baseline = motor_of(contents.machine), baseline_of(contents.machine)
    differences: list[_Difference] = []
    for record in contents.records:
        recording = recording_of(record)
        try:
            again = making.verdicts(recording, motor, baseline, record.faults)
            energy = making.energy(recording, motor, None) if record.energy else None
        except Exception as error:  # the author of the file chose every number in it
            why = f"{record.name}: cannot be diagnosed: {type(error).__name__}: {error}"
            raise ReportError("damaged", why[:300], part=record.name) from error
        if [v["fault"] for v in again] != record.faults:
            why = f"{record.name}: verdicts on {', '.join(record.faults)[:200]}"
            raise ReportError("damaged", why, part=record.name)
        for reported, computed in zip(record.verdicts, again, strict=True):
            fault = computed["fault"]
            for path, a, b in _different(reported, computed, ""):
                differences.append(_Difference(record.name, fault, path, a, b))
        if record.energy and energy:
            for path, a, b in _different(asdict(record.energy), asdict(energy), ""):
                differences.append(_Difference(record.name, "energy", path, a, b))
    here = environment()
    same = here == contents.environment
    return Verification(
        verdicts=sum(len(r.verdicts) for r in contents.records),
        here=here,
        same_environment=same,
        differences=tuple(differences),
        page_agrees=_page_agrees(report) if same else None,
    )


def _page_agrees(report: Report) -> bool | None:
    """Return whether the contents give the page of the file; None without the packages of pages."""
    try:
        from vtox.reporting.reports.page import page
    except ModuleNotFoundError:
        return None
    try:
        return page(report.contents) == report.page
    except Exception:  # whatever damaged events or trends raise when drawn: they give no such page
        return False


def _different(reported: Any, computed: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the paths at which two values of JSON differ, with both values."""
    if isinstance(reported, dict) and isinstance(computed, dict):
        for key in [*computed, *(k for k in reported if k not in computed)]:
            inner = f"{path}.{key}" if path else str(key)
            yield from _different(reported.get(key), computed.get(key), inner)
    elif isinstance(reported, list) and isinstance(computed, list):
        if len(reported) != len(computed):
            yield f"{path} (number)", len(reported), len(computed)
        for i, (a, b) in enumerate(zip(reported, computed, strict=False)):
            yield from _different(a, b, f"{path}[{i}]")
    elif type(reported) is not type(computed) or reported != computed:
        yield path, reported, computed
