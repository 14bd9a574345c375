"""What Forgewright lends to other frameworks: its sandboxes and files, and its store. Each needs its extra."""
