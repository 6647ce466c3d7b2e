"""A person's rights: a copy of what is stored about them, and its erasure."""
