"""The roof: settings, URLs, the clock and the pages that show every room."""
