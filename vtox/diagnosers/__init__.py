"""Pure decisions, one module per fault, on what `vtox.dsp` computes."""
