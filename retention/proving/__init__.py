"""Proving: the ledger of what was deleted, its anchors, certificates, and what became of an id."""
