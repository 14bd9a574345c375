"""Floor 0: identifiers, errors, limits and configuration, which every part may import."""
