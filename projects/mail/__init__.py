"""Mail: what this server tells people, and how it gets to them."""
