"""The ticker: turns due times into run requests."""
