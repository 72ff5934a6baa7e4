"""Pure decisions, one module per fault, on the results of `vtox.motor.diagnosis.dsp`."""
