"""The work of VTOX on two cores, next to that of the same diagnosers without it.

    python -m benchmarks.bench [--windows 3000] [--rounds 2] [--live 50,200] [--only vtox,bare]
    python -m benchmarks.bench.live [--machines 1000] [--minutes 10]      # VTOX alone

The systems drain the same windows one after the other, in several rounds of one run. Then each gets
them at the pace of a fleet (`--live`), with each number of machines. They are:

memory    the diagnosers alone, on arrays in memory, one process per core; drains only
bare      a redis-py loop: a consumer group and a process for each family
naive     Celery, a task for each window and family, the samples in its arguments
careful   Celery, a task for each window and family, the entry's id in its arguments
vtox      VTOX as shipped; live with all that `vtox up` starts

A window is 1 s of ia, ib, ic and vibration at 10 kHz, int16. All share the cores of this machine,
so only ratios inside a round mean anything. `forms.py` defines the measured quantities and their
begin and end.
"""
