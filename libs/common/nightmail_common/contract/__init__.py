"""What all services agree on: events, jobs, runs, schedules, scripts. Pure: no I/O."""
