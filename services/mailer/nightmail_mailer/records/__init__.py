"""The records that the mailer keeps: deliveries, failure streaks, and what the log says."""
