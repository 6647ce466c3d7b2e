"""Tending: how the purge and its ledger do, who is told, and the tables that it leaves full of holes."""
