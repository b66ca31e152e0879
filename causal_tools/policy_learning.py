"""Policies learned over the covariates, a small tree and a forest, each judged on rows it was not grown on."""

from __future__ import annotations

from typing import Any

import numpy as np

from causal_tools.nuisance import Scores
from causal_tools.policy_values import Z95
from causal_tools.preparation import Prepared

TREE_DEPTH = 2
TREES = 100
ENOUGH_ROWS = 200
MOST_ROWS = 20_000


def learned_policies(prepared: Prepared, scores: Scores, keep: np.ndarray, seed: int, sense: int = 1) -> dict[str, Any]:
    """What acting by a tree or a forest would give, and the tree's rules; both are econml's, grown on doubly robust scores.

    Values come from halves, each judged by the policy grown on the other; the rules from all rows. At most 20,000 rows are used.

    Args:
        sense: −1 where a smaller response is better.

    Returns:
        ``tree_policy`` and ``forest_policy``, each with ``value``, ``interval`` and ``shares`` of the actions, the tree with
        ``rules``; empty without covariates or below 200 rows.

    Source: Athey & Wager (2021).
    """
    from econml.policy import PolicyForest, PolicyTree

    features = prepared.covariates.matrix[keep]
    if features.shape[1] == 0 or len(features) < ENOUGH_ROWS:
        return {}
    order = np.random.default_rng(seed).permutation(len(features))[:MOST_ROWS]
    features, table = features[order], scores.table[order]
    leaf = max(10, len(features) // 50)
    actions = [str(level) for level in prepared.treatment.levels]

    def tree() -> Any:
        return PolicyTree(max_depth=TREE_DEPTH, min_samples_leaf=leaf, random_state=seed)

    def forest() -> Any:
        return PolicyForest(n_estimators=TREES, min_samples_leaf=leaf // 2, max_depth=6, random_state=seed)

    whole = tree().fit(features, sense * table)
    return {
        "tree_policy": {
            "rows": len(features),
            **_judged(tree, features, table, actions, sense),
            "rules": tree_rules(whole, prepared.covariates.names, actions),
        },
        "forest_policy": {"rows": len(features), **_judged(forest, features, table, actions, sense)},
    }


def _judged(grow: Any, features: np.ndarray, table: np.ndarray, actions: list[str], sense: int) -> dict[str, Any]:
    wanted = sense * table
    half = np.arange(len(features)) % 2
    advised = np.empty(len(features), dtype=int)
    for side in (0, 1):
        advised[half == side] = grow().fit(features[half != side], wanted[half != side]).predict(features[half == side])
    values = table[np.arange(len(table)), advised]
    mean, reach = float(values.mean()), Z95 * float(values.std(ddof=1) / np.sqrt(len(values)))
    shares = np.bincount(advised, minlength=len(actions)) / len(advised)
    return {
        "value": mean,
        "interval": [mean - reach, mean + reach],
        "shares": {action: float(share) for action, share in zip(actions, shares, strict=True)},
    }


def tree_rules(policy: Any, names: list[str], actions: list[str]) -> list[str]:
    """A fitted policy tree as one sentence a leaf; leaves side by side with one action are told as one.

    >>> tree_rules(fitted, ["age"], ["wait", "run"])  # doctest: +SKIP
    ['age <= 40.5: run', 'age > 40.5: wait']
    """
    tree = policy.tree_

    def below(node: int, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], str]]:
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            return [(path, actions[int(np.argmax(np.ravel(tree.value[node])))])]
        name, edge = names[int(tree.feature[node])], float(tree.threshold[node])
        if " = " in name:
            yes, no = name, name.replace(" = ", " != ", 1)
        else:
            yes, no = f"{name} > {edge:.4g}", f"{name} <= {edge:.4g}"
        leaves = [*below(left, (*path, no)), *below(right, (*path, yes))]
        if len({action for _, action in leaves}) == 1:
            return [(path, leaves[0][1])]
        return leaves

    return [f"{' and '.join(_tightest(path)) or 'everyone'}: {action}" for path, action in below(0, ())]


def _tightest(path: tuple[str, ...]) -> list[str]:
    """Of several bounds of one kind on a column the last, which is the tightest."""
    last = {text.rsplit(" ", 1)[0] if " = " not in text and " != " not in text else text: text for text in path}
    return list(last.values())
