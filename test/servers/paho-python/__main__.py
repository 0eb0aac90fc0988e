"""Runs a Python program with the packages that are packed beside this file: PROGRAM [ARGUMENT...], or --version for theirs."""

import runpy
import sys
from importlib.metadata import version

if sys.argv[1:] == ["--version"]:
    print(version("paho-mqtt"))
else:
    sys.argv.pop(0)
    runpy.run_path(sys.argv[0], run_name="__main__")
