"""Canadian English."""
