"""A finished model for others: cards, hubs, local programs."""
