"""Contracts of partners outside of this repository."""
