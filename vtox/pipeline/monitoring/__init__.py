"""How the running system is doing: throughput, readiness, and what is wrong with it."""
