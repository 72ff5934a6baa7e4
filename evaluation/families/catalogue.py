"""The families of machines of the design sets and of the final ones."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The common properties of the machines of a family.

    Each machine drives one of the loads; the supplies take turns.
    """

    name: str
    pole_pairs: tuple[int, ...]
    kw: tuple[float, float]
    supply_hz: float
    volts: float
    supplies: tuple[str, ...]
    loads: tuple[str, ...]
    fs_hz: float = 5_000.0
    final: bool = False

    @property
    def drive(self) -> bool:
        """Whether its machines are fed by inverters."""
        return "drive" in self.supplies[0]


FAMILIES: tuple[Family, ...] = (
    Family(
        name="pumps, 4 poles",
        pole_pairs=(2,),
        kw=(1.1, 30),
        supply_hz=50,
        volts=400,
        supplies=("quiet", "flicker", "interharmonic"),
        loads=("steady", "light", "drifting"),
    ),
    Family(
        name="piston compressors, 4 and 6 poles",
        pole_pairs=(2, 3),
        kw=(5.5, 90),
        supply_hz=60,
        volts=460,
        supplies=("quiet", "moving unbalance"),
        loads=("piston", "steady"),
    ),
    Family(
        name="conveyors, 6 poles",
        pole_pairs=(3,),
        kw=(2.2, 55),
        supply_hz=50,
        volts=400,
        supplies=("quiet", "ripple control", "flicker"),
        loads=("conveyor", "gearbox"),
        fs_hz=2_500.0,
    ),
    Family(
        name="fans, 2 poles",
        pole_pairs=(1,),
        kw=(1.5, 132),
        supply_hz=50,
        volts=400,
        supplies=("quiet", "moving unbalance", "ripple control"),
        loads=("fan", "light"),
    ),
    Family(
        name="V/f drives, 4 poles",
        pole_pairs=(2,),
        kw=(2.2, 75),
        supply_hz=50,
        volts=400,
        supplies=("drive",),
        loads=("steady", "conveyor", "gearbox"),
        fs_hz=10_000.0,
    ),
    Family(
        name="mixers, 8 poles",
        pole_pairs=(4,),
        kw=(1.1, 37),
        supply_hz=60,
        volts=460,
        supplies=("quiet", "flicker"),
        loads=("mixer", "drifting"),
        final=True,
    ),
    Family(
        name="chillers, 2 and 4 poles",
        pole_pairs=(1, 2),
        kw=(75, 315),
        supply_hz=60,
        volts=460,
        supplies=("quiet", "moving unbalance", "interharmonic"),
        loads=("screw", "light"),
        final=True,
    ),
    Family(
        name="belt compressors, 4 poles",
        pole_pairs=(2,),
        kw=(1.5, 22),
        supply_hz=50,
        volts=400,
        supplies=("quiet", "flicker", "ripple control"),
        loads=("belt compressor", "steady"),
        fs_hz=2_500.0,
        final=True,
    ),
    Family(
        name="crushers, 6 and 8 poles",
        pole_pairs=(3, 4),
        kw=(45, 250),
        supply_hz=50,
        volts=690,
        supplies=("quiet", "moving unbalance", "interharmonic"),
        loads=("crusher", "conveyor"),
        final=True,
    ),
    Family(
        name="V/f drives, 2 and 6 poles",
        pole_pairs=(1, 3),
        kw=(3, 110),
        supply_hz=60,
        volts=460,
        supplies=("unsteady drive", "drive"),
        loads=("fan", "screw", "drifting"),
        fs_hz=10_000.0,
        final=True,
    ),
    Family(
        name="stirrers, 8 poles",
        pole_pairs=(4,),
        kw=(1.5, 45),
        supply_hz=50,
        volts=400,
        supplies=("quiet", "flicker", "interharmonic"),
        loads=("mixer", "drifting", "steady"),
        fs_hz=2_500.0,
    ),
)


def families(*, final: bool) -> tuple[Family, ...]:
    """Return the families of the design sets or of the final ones."""
    return tuple(f for f in FAMILIES if f.final == final)
