"""What VTOX does with two cores, beside what the same diagnosers do without it.

    python -m benchmarks.bench [--windows 3000] [--rounds 2] [--only vtox,bare] [--light]
    python -m benchmarks.bench.live [--machines 1000] [--minutes 10]

The systems drain the same windows one after the other, in several rounds of one run:

memory      the diagnosers alone, on arrays in memory, one process per core
bare        a redis-py loop: a consumer group and a process for each family
naive       Celery, a task for each window and family, the samples in its arguments
careful     Celery, a task for each window and family, the entry's id in its arguments
vtox        VTOX as shipped

A window is 1 s of ia, ib, ic and vibration at 10 kHz, int16. All share the cores of this machine,
so only ratios inside a round mean anything.
"""
