# Runs a program, and writes the largest amount of memory that it had, in KiB.
#
#   python3 measured.py FILE PROGRAM [ARGUMENT]...
import resource
import subprocess
import sys

status = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status if status >= 0 else 128 - status)
