"""Corpora, fine-tuning, metrics and registration."""
