"""SMTP: connections, sends, and the check of the settings."""
