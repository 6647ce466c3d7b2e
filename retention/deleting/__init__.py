"""Deleting: one batch of the purge, from its window of ages to its row in the ledger."""
