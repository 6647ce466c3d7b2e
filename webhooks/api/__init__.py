"""The API's doors to webhooks and, as our extension of the contract, to their deliveries."""
