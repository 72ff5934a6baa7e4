"""Pure decisions, one module per fault, on what `vtox.diagnosis.dsp` computes."""
