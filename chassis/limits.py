"""How much one message may be, over HTTP and over the bus: apart, so that who sets up a server needs no service's libraries."""

# A browser sends its cookies and some dozen headers: 4 KiB. Proxies take 8 to 16.
MOST_HEADER_BYTES = 32 * 1024
# What one request or one answer over the bus may have, in each direction: it lies in the memory of both ends.
MOST_BODY_BYTES = 16 * 1024 * 1024
