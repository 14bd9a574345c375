"""The stores: SQLite. Each is imported late, by name, from the table in `store`."""
