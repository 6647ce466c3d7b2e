"""People: contacts, how each channel knows them, and what they consent to."""
