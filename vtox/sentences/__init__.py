"""The words for people: every reason code with its sentence and what to do. Pure tables."""
