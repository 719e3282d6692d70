"""What every Nightmail service shares: the event contract, the log, what a job and a schedule mean."""
