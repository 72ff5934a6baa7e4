"""The client for programs that send windows or read results."""

from vtox.pipeline.client import *  # noqa: F403
