"""All kinds of broken input, each by its name."""

from evaluation.inputs.mistake import Mistake
from evaluation.inputs.plates import NAMEPLATES
from evaluation.inputs.records import RECORDS
from evaluation.inputs.samples import SAMPLES
from evaluation.inputs.wiring import WIRING

MISTAKES: dict[str, Mistake] = {m.name: m for m in (*SAMPLES, *WIRING, *RECORDS, *NAMEPLATES)}
