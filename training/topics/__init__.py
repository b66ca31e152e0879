"""Data: one YAML file for each topic; `training.topic_library` reads them."""
