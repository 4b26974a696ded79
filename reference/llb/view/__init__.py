"""A page that runs the graph of a bundle in the browser.

`page` makes it, `server` serves it, `build` builds its script. Nothing is imported here, so that `build` can
be run as a program.
"""
