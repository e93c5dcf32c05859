"""`python -m learning.worker FILE_DESCRIPTOR`: the side of `learning.worker.process` that trains and scores."""

import signal
import sys
from multiprocessing.connection import Connection

from learning.worker.process import serve

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])))
