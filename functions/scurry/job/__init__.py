"""Where the built jar lies inside the wheel."""
