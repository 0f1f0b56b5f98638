"""Tables and statements. Every function takes the tenant first, then the open connection."""
