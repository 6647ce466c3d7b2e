"""The outer wall: the only code that touches the network."""
