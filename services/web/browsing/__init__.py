"""Looking around: the list of events, the page of one with its seating plan, and what is free while somebody looks."""
