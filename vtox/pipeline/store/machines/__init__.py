"""The data on each machine: nameplate, baseline, settings, state."""
