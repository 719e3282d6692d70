"""The event contract as AsyncAPI 3, generated from the event catalogue."""
