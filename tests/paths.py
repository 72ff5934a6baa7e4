"""The folder of the repository, so that a test may move between folders."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
