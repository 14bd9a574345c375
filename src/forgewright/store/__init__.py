"""Where bytes live, behind ports: journal, blobs, leases, memory."""
