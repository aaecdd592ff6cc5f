"""From receipts and ledger to results.json, and from that alone to the page and the tables."""
