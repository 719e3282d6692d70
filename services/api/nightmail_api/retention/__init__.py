"""Removal of what is kept no longer."""
