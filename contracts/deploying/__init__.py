"""Versions that meet: what may be deployed beside the last release, releases, and a broker to tell."""
