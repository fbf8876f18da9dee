"""Owned processes and ports: what they say when they fail, and whom they never touch."""

import os
import signal
import subprocess
import sys

import pytest

from clinic import Child, PartFailed, watchdog
from clinic import postgres as postgres_part
from clinic.ports import Port, listening_socket
from tests.clinic.waiting import is_alive, run_directory, until


async def yes() -> bool:
    """A probe that is always satisfied."""
    return True


async def no() -> bool:
    """A probe that never is."""
    return False


async def test_a_process_that_never_gets_ready_is_named():
    """A start has a limit, and the failure carries the last lines of the log."""
    with run_directory() as run:
        child = Child(run, "slow", ["/bin/sh", "-c", "echo thinking; exec sleep 60"])
        with pytest.raises(PartFailed, match=r"slow was not ready in 0\.2 s[^$]*thinking"):
            await child.wait_ready(no, 0.2)
        child.kill()


async def test_an_answer_of_a_stranger_does_not_count():
    """A process that is dead, or says that it cannot start, is not ready whoever answers."""
    with run_directory() as run:
        dead = Child(run, "dead", ["/bin/false"])
        await dead.wait_ended(5)
        with pytest.raises(PartFailed, match="ended with code 1"):
            await dead.wait_ready(yes, 5)
        stuck = Child(run, "stuck", ["/bin/sh", "-c", "echo Failed to bind; exec sleep 60"])
        await until(lambda: "bind" in stuck.log_tail())
        with pytest.raises(PartFailed, match="cannot start"):
            await stuck.wait_ready(yes, 5, hopeless="Failed to bind")


async def test_a_process_that_ignores_the_request_to_end_is_killed_with_its_children():
    """`stop` waits its grace and then ends the whole process group."""
    with run_directory() as run:
        child = Child(
            run, "deaf", ["/bin/sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait; wait"]
        )
        await until(lambda: child.log_tail().isdigit())
        grandchild = int(child.log_tail())
        await child.stop(grace=0.1)
        assert not child.running
        await until(lambda: not is_alive(grandchild))


def test_a_number_given_to_somebody_else_is_not_signalled():
    """The watchdog compares start times, so that a reused process number is safe."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        assert watchdog.stop([watchdog.Owned(stranger.pid, "another time")], 0.1) == []
        assert stranger.poll() is None


def test_a_chosen_port_is_not_chosen_again():
    """A port stays ours from the choice until the program has bound it, also in another process."""
    with Port() as port:
        with Port(port.number) as other:
            assert other.number != port.number
        listening_socket(port.number).close()


def test_a_listening_socket_says_that_it_is_tcp():
    """Asyncio switches TCP_NODELAY on only where the protocol number says TCP."""
    with listening_socket() as made:
        assert made.proto == 6


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become another user")
async def test_postgres_in_a_private_directory_is_refused_to_root(tmp_path):
    """A data directory that the other user cannot enter is refused; nothing is opened for it."""
    private = tmp_path / "home"
    private.mkdir(mode=0o700)
    with run_directory() as run:
        part = postgres_part.Postgres(run, private / "postgres", ephemeral=True)
        with pytest.raises(PartFailed, match="choose a directory"):
            await part.start()
    assert private.stat().st_mode & 0o777 == 0o700


def test_the_watchdog_ignores_the_signals_that_end_its_parent():
    """Ctrl-C, SIGTERM and hang-up do not end the watchdog before it has done its work."""
    with run_directory() as run:
        (run.path / "log").mkdir(exist_ok=True)
        child = Child(run, "child", ["/bin/sleep", "60"])
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(run.watchdog_pid, number)
        assert child.running
        assert is_alive(run.watchdog_pid)
