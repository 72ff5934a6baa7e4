"""Pure decisions, one module per fault, on what `vtox.motor.diagnosis.dsp` computes."""
