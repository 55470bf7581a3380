"""Every need has a contract: what the code, the descriptors and the traces of a running system say, held against the pacts."""
