"""Counts of the code: how much there is, what a record calls, what a newcomer has to learn.

    python -m benchmarks.code_counts [--against CHECKOUT]

* Lines of code of each house, of the product, the tools and the tests (`sizes`), without blank
  lines, comments, docstrings and the files of others.
* Constants of diagnosis: names in capitals that a module of `vtox/motor/diagnosis/diagnosers` or
  `vtox/motor/diagnosis/dsp` gives a value, one a statement.
* Calls a record, of Python and of C, that the diagnosers of a family take in batches (`calls`).
* What a newcomer has to learn (`house`): folders and the imports between them, public names, class
  names with two meanings, codecs, commands, settings with each row of their tables, words of all
  pages with their tables.
* Plain English of pages, docstrings and comments (`language`).

`tests/form/budgets.toml` holds most of them.

The goals were set with other means. Of ba71250 these give the same 481 constants, but 2 to 8 % more
calls: those of the whole diagnosis, from the recordings to the values that it returns. The same
checkout gives 53 folders and 256 arrows between them here, where a drawing counted 57 and 361; 33
rooms and 159 arrows between rooms, which is what the drawing's target of 24 and 121 counts; 73
codecs for 81; 25 names with two meanings for 22. Its 85 settings, 59 commands and 1,540 public
names are the same.
"""
