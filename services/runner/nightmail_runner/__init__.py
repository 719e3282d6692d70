"""The runner: fetches a run's data, runs its script, writes the CSV."""

__version__ = "0.1.0"
