"""Sentences of the reasons of `bearing`."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {}
