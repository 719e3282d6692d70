"""The ticker: turns due times into run requests."""

__version__ = "0.1.0"
