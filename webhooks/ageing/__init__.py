"""Ageing: events and attempts stand by day, and go when they are old."""
