"""What people see: pages, sessions and live updates. The only service that browsers talk to."""
