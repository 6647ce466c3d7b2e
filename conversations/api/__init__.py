"""The API's doors to what this room knows: messages, conversations, and the contacts whose deletion moves them."""
