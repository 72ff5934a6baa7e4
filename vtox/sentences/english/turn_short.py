"""Sentences of the reasons of `turn_short`."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {}
