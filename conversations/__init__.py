"""Talk: conversations, messages, and how a message finds its channel."""
