"""What the resolvers of all languages share: a cheap mirror of a syntax tree, and words in bytes."""
