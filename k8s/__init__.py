"""The manifests, and the Python that reads, generates and checks them: `make manifests`, without a cluster.

`base` is what every service is, `components` change it by label and combine in any order, `overlays` are the places where it
runs, and `infra` is what it needs there.
"""
