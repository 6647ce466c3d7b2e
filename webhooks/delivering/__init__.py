"""Delivering: an event goes to its receiver, signed, and what came of it is kept."""
