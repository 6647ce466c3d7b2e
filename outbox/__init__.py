"""The outbox: what has to leave the house waits in rows until a dispatcher has sent it."""
