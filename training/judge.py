"""A hosted model as judge of explanations, by the same three flags as people; it has a say only where it agrees with them.

Source: LLM4Causal (arXiv 2312.17122), the rubric of interpretations; Cohen (1960) for agreement beyond chance.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

import pandas as pd

from lm.api import ChatEndpoint
from lm.errors import EndpointError
from lm.replies import Request
from training.agreement import agreement_of_labels
from training.rubric_annotation import FLAGS, Judgement, explanation_id

LEAST_KAPPA, LEAST_JUDGED = 0.6, 30  # below either, a judge is shown and not trusted
UNUSABLE = "no judgement in the answer"  # how such a failure begins; asked again, the same answer would be replayed
JUDGE, PEOPLE = "judge", "people"
Said = tuple[str, str]  # the result's summary, the explanation


def judge_request(summary: str, text: str) -> Request:
    """The request to judge one explanation: one tool with the three flags, which must be called."""
    flags = {name: {"type": "boolean", "description": question} for name, question in FLAGS.items()}
    parameters = {"type": "object", "properties": flags, "required": list(flags)}
    tool = {
        "type": "function",
        "function": {"name": "flags", "description": "What is wrong with the explanation.", "parameters": parameters},
    }
    messages = [
        {"role": "system", "content": "Judge whether an explanation is true to a result. Flag only what is wrong."},
        {"role": "user", "content": f"Result: {summary}\n\nExplanation: {text}"},
    ]
    return Request(messages, [tool], must_call="flags")


def judge(endpoint: ChatEndpoint, explanations: Sequence[Said]) -> pd.DataFrame:
    """The judge's flags of each explanation.

    Returns:
        A line an explanation: ``explanation`` (its id), a column a flag (true is a fault; missing where there is no judgement)
        and ``failure``, which says why.
    """
    outcomes = endpoint.complete_all([judge_request(summary, text) for summary, text in explanations])
    lines = []
    for (summary, text), outcome in zip(explanations, outcomes, strict=True):
        flags: dict[str, bool | None] = dict.fromkeys(FLAGS)
        failure = ""
        if isinstance(outcome, EndpointError):
            failure = f"{type(outcome).__name__.lstrip('_')}: {outcome}"
        else:
            try:
                said = json.loads(outcome.tool_calls[0][1])
                flags = {name: _flag(said[name]) for name in FLAGS}
            except (IndexError, KeyError, TypeError, ValueError) as error:
                failure = f"{UNUSABLE}: {type(error).__name__}: {error}"
        lines.append({"explanation": explanation_id(summary, text), **flags, "failure": failure})
    return pd.DataFrame(lines, columns=["explanation", *FLAGS, "failure"])


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"a flag is true or false; given {value!r}")
    return value


def calibration(judged: pd.DataFrame, people: Sequence[Judgement]) -> pd.DataFrame:
    """How far the judge agrees with people, flag by flag; where people differ, their majority counts, and a tie not at all.

    Args:
        judged: of :func:`judge`.
        people: their judgements.

    Returns:
        A line a flag: ``judged`` by both, ``share_equal`` with its exact 95 % interval, ``kappa`` (missing where it is not
        defined), what share of the people's faults the judge ``found``, and whether it is ``trusted``: kappa at least .6 on
        at least 30 explanations.
    """
    from scipy.stats import binomtest

    votes: dict[str, dict[str, list[bool]]] = defaultdict(lambda: {name: [] for name in FLAGS})
    for one in people:
        for name, value in one.flags.items():
            votes[one.explanation][name].append(value)
    lines = []
    known = judged[judged["failure"] == ""].drop_duplicates("explanation").set_index("explanation")
    for name in FLAGS:
        pairs = [
            (bool(known.loc[key, name]), sum(cast[name]) * 2 > len(cast[name]))
            for key, cast in votes.items()
            if key in known.index and sum(cast[name]) * 2 != len(cast[name])
        ]
        equal = sum(ours == theirs for ours, theirs in pairs)
        interval = binomtest(equal, len(pairs)).proportion_ci() if pairs else None
        labels = {str(n): {JUDGE: str(ours), PEOPLE: str(theirs)} for n, (ours, theirs) in enumerate(pairs)}
        kappa = agreement_of_labels(name, labels).kappa if pairs else None
        faults = [ours for ours, theirs in pairs if theirs]
        lines.append(
            {
                "flag": name,
                "judged": len(pairs),
                "share_equal": equal / len(pairs) if pairs else None,
                "low": float(interval.low) if interval else None,
                "high": float(interval.high) if interval else None,
                "kappa": kappa,
                "found": sum(faults) / len(faults) if faults else None,
                "trusted": kappa is not None and kappa >= LEAST_KAPPA and len(pairs) >= LEAST_JUDGED,
            }
        )
    numbers = ["share_equal", "low", "high", "kappa", "found"]
    return pd.DataFrame(lines).astype(dict.fromkeys(numbers, float))
