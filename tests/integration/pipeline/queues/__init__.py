"""Tests of the task queues."""
