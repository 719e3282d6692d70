"""What several benchmarks need: a broker, a running Nightmail, jobs and their events, load over HTTP."""
