"""Sentences of the reasons that any fault may give, and words for identifiers in values."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {}

# Identifiers that stand in the values of reasons (channels, sources, defects) -> their words.
WORDS: dict[str, str] = {}
