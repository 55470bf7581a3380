"""`make service NAME=...`: a new service, whole and green, and its lines in all places that cannot be derived."""
