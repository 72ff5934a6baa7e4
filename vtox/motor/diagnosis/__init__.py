"""From samples to diagnoses: signal processing, diagnosers, learning."""
