"""Checks of data, of generated worlds and of models, each outcome a value."""
