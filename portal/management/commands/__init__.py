"""What `manage.py` can do here, a module a command."""
