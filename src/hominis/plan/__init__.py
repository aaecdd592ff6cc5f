"""Before submission: memory, layout, time, failures, energy and carbon of a run, as arithmetic on plain numbers."""
