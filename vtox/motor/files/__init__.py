"""Recording files of all formats: found by content, their columns understood, made recordings."""
