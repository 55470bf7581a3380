"""Orders' use cases: a file each, one transaction each."""
