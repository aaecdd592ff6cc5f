"""From the LaTeX files of a paper to the text of its body, in time linear in their length.

A scanner of our own: pylatexenc (2.11, alive) builds a tree of nodes at well under 1 MB/s and expands no macro that
takes arguments; here, only commands that mean something are looked at, and the text between them is copied in slices.
"""
