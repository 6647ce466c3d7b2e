"""Running the house: what `manage.py up` starts, watches and stops."""
