"""The tables of the history, built step by step; Alembic runs the steps that a database lacks."""
