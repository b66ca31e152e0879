"""What is made, from what, with which checks: Dagster assets, each a thin wrapper around the libraries below."""
