"""Sentences of the reasons of `insulation`."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {}
