"""Sentences of the reasons of `broken_bar`."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {}
