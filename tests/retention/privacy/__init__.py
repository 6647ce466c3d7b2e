"""Copies and erasure of what is stored about a person."""
