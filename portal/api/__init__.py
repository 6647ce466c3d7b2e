"""The API's resources that show every room: the app."""
