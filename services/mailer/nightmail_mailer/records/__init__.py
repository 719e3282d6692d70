"""What the mailer remembers: deliveries, failure streaks, unsubscribes."""
