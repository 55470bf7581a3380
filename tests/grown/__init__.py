"""Databases as they are after years: what is read of them stays small."""
