"""Sizes of a run: everything, a quick look, and a check that everything still runs."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Size:
    """Numbers of records of each kind."""

    cell: int  # per level, slip and wander, 10 s
    long_cell: int  # 20 s
    light: int  # per wander, 20 s at a slip of 0.5 %
    healthy: int  # 10 s
    long_healthy: int  # 20 s, speed sensor
    sound: int  # per slip and wander, 20 s, speed sensor: cages of -60 dBc
    decoys: int
    short: int
    slots: int
    machines: int
    turn_healthy: int  # per machine
    turn_faulty: int  # per machine and size of short
    peers_healthy: int
    gap_machines: int
    gap_records: int  # per machine, healthy and again faulty
    earth: int
    earth_faulty: int  # per machine and kind
    repeats: int  # of the cost, 0: not measured
    hop_s: float  # of the recorded turn shorts
    pieces: int  # of a bearing recording
    bearing_every: int  # every n-th bearing recording
    shafts: int  # per trouble of a shaft, bearing sound
    damaged_races: int  # per trouble and kind of movement
    family_machines: int  # per family of the widened sets
    family_sound: int  # records per machine
    family_broken: int
    input_machines: int  # on which every kind of input is broken
    input_every: int  # every n-th kind
    installations: int  # of which wiring and nameplate are checked
    installation_mistakes: int  # made in each
    bad_shafts: int  # machines per trouble of the shaft, widened
    bearing_decoys: int  # per other trouble
    bearing_damaged: int  # per movement and level
    turn_machines: int  # whose supply moves
    turn_sound: int  # records of each
    turn_shorted: int
    covered_machines: int  # of each kind of the table of coverage
    covered_records: int  # of each, sound, with broken bars, with shorted turns
    hour_machines: int  # of each family at the grid, whose records of an hour decide
    rigs: bool  # recordings of other rigs


FULL = Size(
    cell=12,
    long_cell=4,
    light=30,
    healthy=3_000,
    long_healthy=1_000,
    sound=15,
    decoys=120,
    short=120,
    slots=80,
    machines=20,
    turn_healthy=150,
    turn_faulty=16,
    peers_healthy=100,
    gap_machines=8,
    gap_records=40,
    earth=3_000,
    earth_faulty=30,
    repeats=5,
    hop_s=0.25,
    pieces=5,
    bearing_every=1,
    shafts=300,
    damaged_races=40,
    family_machines=10,
    family_sound=60,
    family_broken=10,
    input_machines=3,
    input_every=1,
    installations=500,
    installation_mistakes=3,
    bad_shafts=100,
    bearing_decoys=40,
    bearing_damaged=64,
    turn_machines=16,
    turn_sound=200,
    turn_shorted=24,
    covered_machines=10,
    covered_records=6,
    hour_machines=12,
    rigs=True,
)
QUICK = Size(
    cell=1,
    long_cell=0,
    light=0,
    healthy=40,
    long_healthy=20,
    sound=1,
    decoys=6,
    short=12,
    slots=8,
    machines=2,
    turn_healthy=24,
    turn_faulty=4,
    peers_healthy=2,
    gap_machines=1,
    gap_records=40,
    earth=40,
    earth_faulty=30,
    repeats=2,
    hop_s=1.0,
    pieces=1,
    bearing_every=4,
    shafts=4,
    damaged_races=2,
    family_machines=1,
    family_sound=6,
    family_broken=4,
    input_machines=1,
    input_every=6,
    installations=12,
    installation_mistakes=3,
    bad_shafts=1,
    bearing_decoys=1,
    bearing_damaged=2,
    turn_machines=2,
    turn_sound=24,
    turn_shorted=6,
    covered_machines=1,
    covered_records=2,
    hour_machines=1,
    rigs=True,
)
# A run that only shows that everything still runs.
SMALLEST = replace(
    QUICK,
    cell=0,
    healthy=1,
    long_healthy=1,
    sound=0,
    decoys=0,
    short=0,
    slots=0,
    machines=1,
    turn_healthy=2,
    turn_faulty=1,
    peers_healthy=0,
    gap_records=2,
    earth=4,
    earth_faulty=1,
    repeats=0,
    shafts=1,
    damaged_races=1,
    family_machines=0,
    input_machines=0,
    installations=1,
    installation_mistakes=1,
    bad_shafts=0,
    bearing_decoys=0,
    bearing_damaged=0,
    turn_machines=0,
    covered_machines=0,
    hour_machines=0,
    rigs=False,
)
