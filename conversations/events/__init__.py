"""Events: what app and contact do beside writing."""
