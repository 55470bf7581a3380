"""What all pages share: cookies and sessions, how a page is written, streams, caches, limits. It knows no subject."""
