"""Use cases, a file each: opening a payment, settling what the gateway is asked, capture and void, hints, asking by itself."""
