"""An order's whole life, for whoever has the key of support."""
