"""Requests and answers: bodies, queries, pages, languages, errors, limits."""
