"""From places that were chosen to an order, its payment and its tickets; and what a person has bought."""
