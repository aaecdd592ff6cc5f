"""Artefacts, receipts, attempts: what a stage made, what its bytes must be, and what each try cost."""
