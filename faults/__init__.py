"""The fault harness: a real VTOX, a seeded schedule of disturbances, a history and its checker."""
