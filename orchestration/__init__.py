"""Where and when it runs: definitions, storage, profiles, schedules, the command line."""
