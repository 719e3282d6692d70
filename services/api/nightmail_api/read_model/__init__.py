"""The projection of the log and its queries, on SQLite or PostgreSQL."""
