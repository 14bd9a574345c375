"""The Merkle log: tree hashes and proofs (RFC 9162), tiles (C2SP tlog-tiles), signed tree heads."""
