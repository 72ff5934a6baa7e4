"""What is known of each machine: nameplate, baseline, settings, state."""
