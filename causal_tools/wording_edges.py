"""Whether an explanation draws a graph's arrows: all of them, from cause to effect, each with its own weight."""

from __future__ import annotations

import re
from collections.abc import Iterator

from causal_tools.contract import GraphResult
from causal_tools.summary import format_number

_DRIVES = re.compile(r"-->|→|\b(?:directly )?(?:drives|acts on|causes|feeds into|influences|affects)\b", re.IGNORECASE)
_WEIGHT = re.compile(r"\s*\((?:weight\s+)?([-−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?)\)", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(r";|\.(?=\s|$)")


def wrong_edges(text: str, result: GraphResult) -> list[str]:
    """Arrows of a text that the graph lacks, or that carry another's weight."""
    weights = _weights(result)
    drawn = list(_arrows(text, _nodes(result)))
    found = [f"the edge {source} --> {target}" for source, target, _ in drawn if (source, target) not in weights]
    for source, target, said in drawn:
        weight = weights.get((source, target))
        if said is not None and weight is not None and said != format_number(weight):
            found.append(f"the weight {said} of {source} --> {target}")
    return found


def missing_edges(text: str, result: GraphResult) -> list[str]:
    """Arrows of the graph that a text does not draw."""
    there = {(source, target) for source, target, _ in _arrows(text, _nodes(result))}
    return [f"the edge {source} --> {target}" for source, target in _weights(result) if (source, target) not in there]


def _weights(result: GraphResult) -> dict[tuple[str, str], float | None]:
    return {(edge.source, edge.target): edge.weight for edge in result.edges if edge.mark == "-->"}


def _nodes(result: GraphResult) -> list[str]:
    return list({node for edge in result.edges for node in (edge.source, edge.target)})


def _arrows(text: str, nodes: list[str]) -> Iterator[tuple[str, str, str | None]]:
    """Source, target and weight of each arrow; one source may stand before several targets."""
    names = "|".join(map(re.escape, sorted(nodes, key=len, reverse=True)))
    node = re.compile(rf"(?<!\w)(?:{names})(?!\w)")
    mentions = list(node.finditer(text)) if nodes else []
    drives = [one for one in _DRIVES.finditer(text) if not any(m.start() <= one.start() < m.end() for m in mentions)]
    for place, drive in enumerate(drives):
        before = [one for one in mentions if one.end() <= drive.start() and not text[one.end() : drive.start()].strip()]
        ends = _CLAUSE_ENDS.search(text, drive.end())
        end = min(
            ends.start() if ends else len(text), drives[place + 1].start() if place + 1 < len(drives) else len(text)
        )
        for target in mentions if before else ():
            if drive.end() <= target.start() < end:
                weight = _WEIGHT.match(text, target.end())
                yield before[-1][0], target[0], weight[1].replace(",", "").replace("−", "-") if weight else None
