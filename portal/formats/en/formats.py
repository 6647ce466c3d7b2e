"""Moments as nobody can misread them, with the seconds that logs and ledgers have."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i:s"
