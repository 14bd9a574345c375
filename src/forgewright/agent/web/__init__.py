"""Reading pages of the web: one request, judged and journaled for each host, and text out of what comes back."""
