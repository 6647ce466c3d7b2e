"""Reaching: a message's way to its contact, from the route to the last receipt."""
