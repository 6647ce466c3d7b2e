"""Trying out: sample events for a webhook, and what is wrong with a signature."""
