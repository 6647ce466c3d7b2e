"""How the portal writes moments, in the languages that it speaks."""
