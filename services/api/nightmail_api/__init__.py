"""The API: REST in, events out, and the read model that answers."""

__version__ = "0.1.0"
