"""What each sign against a reading counts, beside the language model's log-probability of it.

A reading's score is its weighted log-probability less the signs' penalties, a log-linear model. Its weights are half way between
those of before and those fitted on 520 questions that no reader was trained on (``scripts/fit_reading_weights.py``); those of
``left_out``, ``second_task`` and ``not_causal`` stay, since long asides would else make a question not causal.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property


@dataclass(frozen=True)
class Weights:
    """Nats by which each sign counts against a reading, and what a nat of the language model counts.

    Attributes:
        model: by which its log-probability is multiplied; below one since a small model is surer than it is right.
        unnamed: a column without words of the question for it, though the question does not name it.
        left_out: a column that the question names, not only to leave it aside or to adjust for it, nor as part of the words
            for another one, and the reading does not hold.
        role_denied: a column in a role that the question says it does not have: it only speaks of the column to leave it aside
            or to adjust for it (:mod:`causal_tools.asides_said`; a mediator may be adjusted for), or calls it by the name of
            another role (:mod:`causal_tools.roles_said`). Or any column from which another one only differs by its number,
            and it is this number that the question says (:mod:`causal_tools.times_said`).
        all_despite_names: a column that the question names, where the reading takes all columns.
        unlike: how much less the column's name is spelt like the words taken for it than the likest name (0 to 1).
        unlike_in_meaning: the same of the meaning, by a sentence encoder.
        overlapping: words of the question that stand for two columns, as a value of both that it says once.
        number_left_out: a number of the question that the reading does not hold.
        level_left_out: a level that the question says, or in part one that it seems to speak of, and no column of the reading
            has; or that it is about one sex, and the reading holds no column that tells the sexes apart
            (:mod:`causal_tools.sexes_said`).
        list_misfit: an item of the question's list of nodes that none of the graph's nodes is, or a node too many of it
            (:mod:`causal_tools.enumerations`).
        level_passed_over: a level that the question says, where a condition on its column takes another.
        denial: a condition of yes or no whose words deny its column, or say the opposite, where its value does not, or the
            other way round; or a condition on a level of which the question only says that it is not meant.
        other_operator: a condition on a number that the question bounds in another way (:mod:`causal_tools.bounds_said`).
        not_causal: that the reading is of no causal task, since little else can count against such a one.
        broken_off: that no query can come of the reading, since the file lacks what it would need.
        second_task: what a second reader (:mod:`causal_tools.second_reading`) holds against the task, in nats.
        second_role: against the columns of treatment, response and mediator.
        second_condition: against conditions on these columns and on no others.
        second_node: against these nodes and no others.
        second_words: against the columns that words of the question are taken for.
        second_operator: against the operators of conditions.
        second_level: against their levels.
        second_number: against their numbers, and against leaving out the others.

    Of names, numbers and levels left out at most two count each: covariates and asides are many in some questions. A
    reading of no causal task leaves out all of them.
    """

    model: float = 0.1
    unnamed: float = 4.65
    left_out: float = 1.8
    role_denied: float = 2.85
    all_despite_names: float = 2.2
    unlike: float = 1.6
    unlike_in_meaning: float = 4.25
    overlapping: float = 3.05
    number_left_out: float = 1.45
    level_left_out: float = 2.05
    list_misfit: float = 2.5
    level_passed_over: float = 2.15
    denial: float = 2.0
    other_operator: float = 3.15
    not_causal: float = 0.6
    broken_off: float = 2.4
    second_task: float = 1.5
    second_role: float = 1.0
    second_condition: float = 1.15
    second_node: float = 0.8
    second_words: float = 0.2
    second_operator: float = 0.9
    second_level: float = 1.15
    second_number: float = 0.75

    @cached_property
    def of_signs(self) -> tuple[float, ...]:
        """The weights of ``SIGNS``, in their order."""
        return tuple(getattr(self, name) for name in SIGNS)

    def times(self, share: float) -> Weights:
        """All of them, so much as large."""
        return Weights(**{one.name: share * getattr(self, one.name) for one in fields(self)})

    @property
    def hear_second(self) -> bool:
        """Whether a second reader has a say."""
        return any(getattr(self, name) for name in SIGNS if name.startswith("second_"))


SIGNS = tuple(sign.name for sign in fields(Weights) if sign.name != "model")
NO_WEIGHTS = Weights(model=1.0, **dict.fromkeys(SIGNS, 0.0))
