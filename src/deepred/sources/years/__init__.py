"""Articles of years and days."""
