"""Reports: verdicts, their evidence, and the samples, in one file that can be checked again."""
