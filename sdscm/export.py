"""The model for other libraries: pgmpy networks and networkx graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdscm.exact import ExactLaws, Tables
from sdscm.scenario import Scenario

if TYPE_CHECKING:
    import networkx as nx
    from pgmpy.models import DiscreteBayesianNetwork

_LIMIT = 2_000_000  # cells of the complete tables


def to_pgmpy(scenario: Scenario, tables: Tables, limit: int = _LIMIT) -> DiscreteBayesianNetwork:
    """The observational law as a pgmpy network, with the levels' texts as state names.

    Args:
        scenario: the model's variables.
        tables: its conditional laws; those missing are asked for, all of them.
        limit: most cells of the complete tables.

    Returns:
        A network that passes pgmpy's own ``check_model``.

    Raises:
        ImportError: pgmpy is not installed.
        TooLarge: the complete tables have more cells than the limit.
    """
    try:
        from pgmpy.factors.discrete import TabularCPD
        from pgmpy.models import DiscreteBayesianNetwork
    except ImportError as error:
        raise ImportError("to_pgmpy needs pgmpy, which is not installed: pip install 'pgmpy>=1.1,<2'") from error
    laws = ExactLaws(scenario, tables, limit)
    network = DiscreteBayesianNetwork()
    network.add_nodes_from(scenario.names)
    network.add_edges_from(scenario.edges())
    for variable in scenario.variables:
        table = laws.table(variable.name)
        network.add_cpds(
            TabularCPD(
                variable.name,
                len(variable.levels),
                table.reshape(-1, len(variable.levels)).T,  # one column a combination of parents, the last fastest
                evidence=list(variable.parents),
                evidence_card=list(table.shape[:-1]),
                state_names={name: list(scenario[name].levels) for name in (variable.name, *variable.parents)},
            )
        )
    network.check_model()
    return network


def to_networkx(scenario: Scenario, tables: Tables | None = None, limit: int = _LIMIT) -> nx.DiGraph:
    """The graph: nodes in order τ with ``role`` and ``levels``; with tables, edges with ``nats``.

    Args:
        scenario: the model's variables.
        tables: its conditional laws; where given, each edge carries I(parent; child | other parents) in nats.
        limit: most cells of the complete tables, and of any array made from them.

    Raises:
        TooLarge: that would need more cells than the limit.
    """
    graph = scenario.to_networkx()
    if tables is not None:
        strengths = ExactLaws(scenario, tables, limit).edge_strengths()
        for parent, child, nats in strengths.itertuples(index=False):
            graph.edges[parent, child]["nats"] = float(nats)
    return graph
