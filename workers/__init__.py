"""Celery tasks, one thin module per fault family."""
