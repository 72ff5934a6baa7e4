"""The whole system in one process, replayed from one seed: `make interleavings`.

Production code and a real server; only time, chance and the order of processes depend on the seed.
The rest of `faults` tests the parts that cannot run so: Celery's pool, sockets, the supervisor.
"""
