"""The whole system in one process, replayed from one seed: `make interleavings`.

Production code and a real server; only time, chance and who runs next belong to the seed. What
cannot be driven so (Celery's pool, sockets, the supervisor) is tested by the rest of `faults`.
"""
