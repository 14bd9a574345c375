"""One file per wire format. Each is imported late, by name, from the table in `models`."""
