"""The records that the mailer keeps: deliveries, failure streaks, and facts from the log."""
