"""What waits in tickets, as metrics."""

from tracing.instruments import Instrument

BOXES = Instrument(
    "onsale.printer.boxes", "counter", "{letter}", "Letters that were printed as boxes, because no font has them."
)
PRINTING = Instrument("onsale.printer.jobs", "gauge", "{job}", "PDFs that are being made or wait for a thread.")
