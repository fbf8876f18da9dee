"""What makes the generated pages and the picture of the README. Nothing here runs in production."""
