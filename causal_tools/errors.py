"""What can be wrong with a file, a question or an estimation, one class a kind of fault.

Every message says what was given, what was expected and what to do; the command line prints it without a traceback.
"""


class CausalToolsError(Exception):
    """Anything a user can mend: the data file, the question or the query."""


class DataFileError(CausalToolsError):
    """A data file that is missing, empty, unreadable, or not a table."""


class ColumnNotFound(CausalToolsError):
    """A query names a column that the data set does not have."""


class QueryError(CausalToolsError):
    """A query that contradicts itself or lacks a field its task needs."""


class NotCausal(CausalToolsError):
    """A question that asks for none of the five causal tasks."""


class EstimationRefused(CausalToolsError):
    """The data cannot support an honest answer: too few rows, no overlap, a constant treatment."""
