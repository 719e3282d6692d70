"""What every service process has: settings, logging, health, metrics, start and stop."""
