"""Moments as nobody can misread them: to the second, as logs and ledgers have them, and always in UTC, which is said."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i:s T"
DATETIME_FORMAT = f"{DATE_FORMAT}, {TIME_FORMAT}"
