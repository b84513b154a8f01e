"""Reads the pages of the book side by side: each is a notebook, and most of its time is a kernel that starts.

Jupyter Book has no option for it, and Sphinx refuses as long as an extension does not say whether it may be done. Three
say nothing, and take no part in reading a page for HTML: one numbers the sections once all pages have been read, one
adds a folder of scripts, and one serves PDF. Sphinx warns, and the book is not built, if another joins them.
"""

import os

AT_ONCE = 8
"""Pages at most: a notebook takes half a gigabyte, and more of them would wait for the longest."""

SILENT = ("sphinx_multitoc_numbering", "sphinx-mathjax-offline", "sphinx_jupyterbook_latex")


def read_in_parallel(app, config):
    """Let as many pages be read at once as there are cores, if not too many."""
    for name in SILENT:
        app.extensions[name].parallel_read_safe = True
    app.parallel = min(os.cpu_count() or 1, AT_ONCE)


def setup(app):
    """What Sphinx calls when it loads the extension."""
    app.connect("config-inited", read_in_parallel)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
