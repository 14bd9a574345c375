"""Bundles: a self-contained part of the journal that anybody can verify offline; and `fsck` of a home."""
