"""Composing: what may stand in a message, and the templates that are filled in for it."""
