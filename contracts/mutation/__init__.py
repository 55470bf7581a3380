"""Contracts that cannot pass silently: breaks are planted one at a time, and each must be caught with a message that names it."""
