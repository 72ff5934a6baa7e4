"""Counts of the code: how much there is, how a value goes through it, what a record calls.

    python -m benchmarks.code_counts [--against CHECKOUT]

* Lines of the product by language: `vtox`, `api` and `workers`, without what others wrote.
* Constants of diagnosis: names in capitals that a module of `vtox/diagnosers` or `vtox/dsp` gives
  a value, one a statement.
* The way of `analysis` through `turn_short.diagnose`: files in which it stops, and returns to one
  that it had left (`walk`). A value of `vtox/domain.py` that is made of it is no stop.
* Calls a record, of Python and of C, that the diagnosers of a family take in batches (`calls`).

The goals were set with other means. Of ba71250 these give the same 481 constants, but 32 stops and
23 returns for 33 and 22, and 2 to 8 % more calls: those of the whole diagnosis, from the recordings
to the values that it returns.
"""
