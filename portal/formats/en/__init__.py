"""How the portal writes moments in English."""
