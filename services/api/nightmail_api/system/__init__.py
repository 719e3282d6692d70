"""The state of the whole system: who announces itself, what waits, and what is wrong."""
