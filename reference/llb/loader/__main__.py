"""`python -m llb.loader`: requests on standard input, replies on standard output."""

import sys

from llb.loader.serving import serve

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(serve(sys.stdin.buffer, sys.stdout.buffer))
