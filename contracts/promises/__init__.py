"""What providers promise in documents made from their code, and whether it is what consumers need."""
