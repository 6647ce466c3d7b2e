"""Repeating: deliveries are looked at and sent again, by hand."""
