"""The API: REST in, events out, and the read model that answers."""
