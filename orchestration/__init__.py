"""Where and when it runs: definitions, storage, profiles, schedules, the command line."""

import os
import warnings

# Every library's telemetry is off unless someone turned it on; set before the libraries are imported.
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

# Dagster announces partitioned checks as preview and owners of sensors as beta; each is used in one place only.
warnings.filterwarnings("ignore", message=".*partitions_def on an AssetCheckSpec.*")
warnings.filterwarnings("ignore", message=".*Parameter `owners` of initializer.*")
