"""The one record of what happened: events, the Merkle log, signed tree heads, proofs, bundles."""
