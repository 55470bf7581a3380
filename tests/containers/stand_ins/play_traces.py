"""The dev trace store in the place of collector and Jaeger: OTLP on 4318, Jaeger's API on 16686, for the networks around it."""

import sys

from tracing.store import __main__ as store

if __name__ == "__main__":
    store.HOST = "0.0.0.0"  # noqa: S104  # the networks of a container
    sys.exit(store.main(["--data", "/tmp/traces"]))
