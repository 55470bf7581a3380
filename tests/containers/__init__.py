"""The manifests in containers: every workload with its very arguments, environment, files and limits, on private networks."""
