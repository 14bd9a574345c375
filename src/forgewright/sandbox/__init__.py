"""Places where untrusted code runs, in four strengths behind one protocol."""
