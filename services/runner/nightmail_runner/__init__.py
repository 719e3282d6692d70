"""The runner: fetches a run's data, runs its script, makes the CSV."""

__version__ = "0.1.0"
