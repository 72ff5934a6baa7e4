"""Sentences of the reasons of `eccentricity`."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {}
