"""The version, where everybody may import it."""

VERSION = "0.1.0"
