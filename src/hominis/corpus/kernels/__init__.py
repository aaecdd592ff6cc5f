"""Compiled passes over the UTF-8 bytes of a column of texts: no Python loop over documents, words or characters.

Why numba: nothing is compiled at install, so there is no compiler to have and no wheel to build for a cluster; the
source is Python that a researcher can read and step through (``NUMBA_DISABLE_JIT=1``); and a trial gave 50 MB/s of
text a second and core for all signals together. C++ would be 1.5 to 2 times as fast on signals and start at once.

Its limits: the first call on a machine compiles for seconds (14 s for all kernels, once: see ``compiled``), and every
combination of argument types compiles anew. So kernels take few types: ``Texts`` have read-only u8 and i64 arrays.
"""
