"""What all faults that are seen in currents share: demodulation, pole pairs, slip."""
