"""Free ports on loopback, so that several clinics at once do not take each other's.

A foreign program that can only be told a number may find its port taken between our choice and its
start. Against other clinics the UDP port of the same number is held as the mark "chosen" for as
long as the clinic runs (the system gives it back however we end); against strangers whoever starts
such a program tries again with another port.
"""

import errno
import socket
from typing import Self

LOOPBACK = "127.0.0.1"
_TRIES = 50


class Port:
    """A TCP port number that no other clinic will choose while this object is not closed."""

    def __init__(self, preferred: int = 0) -> None:
        """Take the preferred port when it is free, else any."""
        for wanted in (preferred, *([0] * _TRIES)):
            mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                with listening_socket(wanted) as candidate:
                    mark.bind(candidate.getsockname())
            except OSError:
                mark.close()
                continue
            self._mark, self.number = mark, int(mark.getsockname()[1])
            return
        raise OSError(errno.EADDRINUSE, "no free port on loopback")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others choose it again."""
        self._mark.close()


def listening_socket(port: int = 0) -> socket.socket:
    """A bound, listening TCP socket on loopback, to hand over to a server of our own.

    Made with IPPROTO_TCP: asyncio sets TCP_NODELAY only on sockets that say so, and without it
    every call waits 40 ms.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((LOOPBACK, port))
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made
