"""Tending: how webhooks do, who is told when one fails, and when it is switched off."""
