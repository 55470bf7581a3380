"""What people met in other ticket shops, and must not meet here: each kind on a whole running system. README.md lists them."""
