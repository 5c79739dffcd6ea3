"""The parts of the web chat's widget, which is served as one script."""
