"""Several hosts on one machine: the services live apart, with a network between them that can be slow, lossy or cut."""
