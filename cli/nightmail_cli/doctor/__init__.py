"""Checks of this machine and its broker."""
