"""Dispatching: from the look for due lanes to the transaction that says what became of a try."""
