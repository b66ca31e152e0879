"""Questions that a data file's own columns suggest, one for each kind that they allow."""

from __future__ import annotations

from causal_tools.data import DataTable

NUMBERS = ("continuous", "discrete")
CHOICES = ("binary", "categorical")
MOST_ACTIONS = 6


def example_questions(table: DataTable) -> list[str]:
    """Up to five questions over the file's columns; none where no two columns could be treatment and response."""
    kinds = {name: kind for name, kind in table.kinds.items() if kind in (*NUMBERS, *CHOICES)}
    treatments = [name for name, kind in kinds.items() if kind == "binary"] or [
        name for name, kind in kinds.items() if kind == "categorical" and table.frame[name].nunique() <= MOST_ACTIONS
    ]
    if len(kinds) < 2:
        return []
    treatment = (treatments or list(kinds))[0]
    responses = [name for name, kind in kinds.items() if kind == "continuous" and name != treatment]
    response = (responses or [name for name in kinds if name != treatment])[0]
    rest = [name for name in kinds if name not in (treatment, response)]
    questions = [f"What is the effect of {treatment} on {response}?"]
    if condition := _condition(table, rest):
        questions.append(f"What is the effect of {treatment} on {response} where {condition}?")
    if through := [name for name in rest if kinds[name] == "continuous"]:
        questions.append(f"How much of the effect of {treatment} on {response} runs through {through[-1]}?")
    if treatments:
        questions.append(f"Which {treatment} is best for {response}?")
    if rest:
        questions.append("What is the causal graph of all columns?")
    return questions


def _condition(table: DataTable, names: list[str]) -> str | None:
    """A condition that about half the rows meet, or a level's."""
    for name in names:
        if table.kinds[name] == "continuous":
            return f"{name} >= {table.frame[name].median():.3g}"
    for name in names:
        if table.kinds[name] == "categorical":
            return f"{name} = {table.frame[name].mode().iloc[0]}"
    return None
