"""The history of the tables, run by ``vending_app.storage.migrate``."""
