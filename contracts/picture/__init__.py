"""Who needs what from whom, drawn."""
