"""The five causal tools behind one query contract, and the assistant that asks them."""

from causal_tools.assistant import Answer, Assistant
from causal_tools.contract import CausalQuery, CausalResult, Condition
from causal_tools.engine import answer
from causal_tools.errors import CausalToolsError

__all__ = ["Answer", "Assistant", "CausalQuery", "CausalResult", "CausalToolsError", "Condition", "answer"]
