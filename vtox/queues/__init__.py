"""Celery: the application, its transport and where its broker is."""
