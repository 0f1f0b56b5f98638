"""Use cases: store, security module, time and request in; a result or a ``VendingError`` out."""
