"""The state of the running system: throughput, readiness and faults."""
