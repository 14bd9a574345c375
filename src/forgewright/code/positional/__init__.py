"""Signatures of languages whose arguments go by place only: Go, Rust, Java."""
