"""The records that the mailer keeps: deliveries, failure streaks, unsubscribes."""
