"""One protocol of files over a directory, a store, a sandbox or a composite of them."""
