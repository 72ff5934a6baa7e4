"""Reports: verdicts, what they rest on, and the samples, in one file that can be checked again."""
