"""Hearing: what channels and clients say of contacts, and how it takes its place."""
