"""Sequence-driven structural causal models: language models as causal effect generators."""

from sdscm.errors import ScenarioError, TooLarge
from sdscm.model import Sample, SequenceSCM
from sdscm.scenario import Scenario, list_scenarios, load_scenario

__all__ = ["Sample", "Scenario", "ScenarioError", "SequenceSCM", "TooLarge", "list_scenarios", "load_scenario"]
