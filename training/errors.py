"""Faults of training that a person can mend, in one place that costs nothing to import."""


class AnnotationServerError(RuntimeError):
    """The annotation server cannot be used; the message says what was tried and what it answered."""
