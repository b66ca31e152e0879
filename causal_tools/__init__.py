"""The five causal tools behind one query contract, and the assistant that asks them."""
