"""The rules of selling, pure: money, tariffs, quotes; no clock, no database, no web."""
