"""Celery: the application, its transport and the URL of its broker."""
