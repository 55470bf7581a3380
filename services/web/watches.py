"""What is open in web, as metrics."""

from tracing.instruments import Instrument

OPEN_STREAMS = Instrument("onsale.stream.open", "gauge", "{stream}", "Browsers that listen to live updates of a page.")
ENDED_SOCKETS = Instrument(
    "onsale.socket.ended", "counter", "{socket}", "Live sockets that ended, by why.", ("onsale.end",)
)
