"""What every request of the API passes: whose it is, how often it may come, its body, its masks and pages."""
