"""Processes that pass health on to where a plant listens; nothing of VTOX depends on them.

They read the HTTP status API, and write nothing.
"""
