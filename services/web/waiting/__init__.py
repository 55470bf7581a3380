"""The waiting room of a sale: joining, waiting, coming in, and the proof that lots were drawn fairly."""
