"""The runner: fetches a run's data, runs its script, writes the CSV."""
