"""`python -m learning.worker DESCRIPTOR [training]`: the side of `learning.worker.process` that trains and scores."""

import signal
import sys
from multiprocessing.connection import Connection

from learning.worker.process import FOR_TRAINING, serve

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])), for_training=FOR_TRAINING in sys.argv[2:])
