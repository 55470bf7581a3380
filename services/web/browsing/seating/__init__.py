"""The seating plan of an event: as a picture and as a list of the same seats."""
