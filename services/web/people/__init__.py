"""Who somebody is: signing in, up and out, and guests."""
