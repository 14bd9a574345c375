"""Personal data: kept out of the log, encrypted under each person's own key, and erasable for good."""
