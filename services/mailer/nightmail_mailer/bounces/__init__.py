"""Delivery status notifications: mails that were accepted and came back."""
