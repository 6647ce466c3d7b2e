"""Deciding: who may change a policy, on what ground, and which version rules."""
