"""What waits in tickets, as metrics."""

from tracing.instruments import Instrument

PRINTING = Instrument("onsale.printer.jobs", "gauge", "{job}", "PDFs that are being made or wait for a thread.")
