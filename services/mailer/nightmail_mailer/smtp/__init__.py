"""The SMTP side: connections, deliveries, the check of a server."""
