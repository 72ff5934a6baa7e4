"""Analysis shared by all faults seen in currents: demodulation, pole pairs, slip."""
