"""From the LaTeX files of a paper to the text of its body, in time linear in their length.

A scanner of our own: pylatexenc (2.11, alive, MIT) builds a tree of nodes at 0.1 to 0.4 MB/s, raises on four of nine
real papers and expands no macros of theirs (``benchmarks/arxiv.py``). Here only commands that mean something are looked
at, found by one regular expression, and the text between them is copied in slices: 14 to 20 MB/s.
"""
