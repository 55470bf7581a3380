"""What sells tickets elsewhere, measured on this machine in turns with Onsale."""
