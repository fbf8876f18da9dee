"""The database keeps what was committed, whatever is killed."""

import asyncio
import subprocess

import psycopg
import pytest

from clinic import Child, Postgres, watchdog
from clinic import postgres as postgres_part
from tests.clinic.waiting import run_directory


@pytest.fixture(scope="module")
def postgres():
    """One server for all of these tests."""
    with run_directory() as run:
        part = Postgres(run, run.path / "postgres", ephemeral=True)
        asyncio.run(part.start())
        yield part
        asyncio.run(part.stop())


def rows(part: Postgres) -> list[tuple[str]]:
    """Every delivery."""
    with connected(part) as connection:
        return connection.execute("SELECT id FROM delivery ORDER BY id").fetchall()


def connected(part: Postgres) -> psycopg.Connection[tuple[str]]:
    """A connection as superuser."""
    return psycopg.connect(part.url.replace("+psycopg", ""))


async def test_a_killed_server_comes_back_with_its_committed_rows(postgres: Postgres):
    """Kill -9 of all its processes keeps every committed row and no other; so does a restart."""
    with connected(postgres) as connection:
        connection.execute("CREATE TABLE delivery (id text)")
        connection.execute("INSERT INTO delivery VALUES ('committed')")
    unfinished = connected(postgres)
    unfinished.execute("INSERT INTO delivery VALUES ('unfinished')")
    await postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        unfinished.execute("SELECT 1")
    await postgres.start()
    assert rows(postgres) == [("committed",)]
    await postgres.restart()
    assert rows(postgres) == [("committed",)]


def a_stranger(user: str | None) -> subprocess.Popen[bytes]:
    """Start a process of the same user that is not PostgreSQL."""
    return subprocess.Popen(["/bin/sleep", "60"], user=user, cwd="/")


async def test_a_stale_lock_file_naming_a_living_stranger_is_removed(postgres: Postgres):
    """A lock file whose number now belongs to another process does not stop the start."""
    await postgres.kill()
    lock = postgres._data / "postmaster.pid"
    with a_stranger(postgres._user) as stranger:
        first, _, rest = lock.read_text().partition("\n")
        lock.write_text(f"{stranger.pid}\n{rest}")
        await postgres.start()
        assert stranger.poll() is None
        stranger.kill()
    assert first.isdigit()


async def test_a_server_that_nobody_owns_is_taken_over(postgres: Postgres):
    """A server still running on the data from a killed owner is stopped before ours starts."""
    abandoned = postgres._child
    assert abandoned is not None
    postgres._child = None
    await postgres.start()
    assert not abandoned.running
    assert watchdog.command_of(abandoned.pid) == ""


async def test_commits_are_never_switched_to_asynchronous(postgres: Postgres):
    """The tests kill processes, so a commit waits for its write even where fsync is off."""
    with connected(postgres) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


async def test_programs_in_a_private_directory_are_copied_not_opened(postgres: Postgres, tmp_path):
    """A copy for the other user works, and the private directory stays as private as it was."""
    private = tmp_path / "home"
    private.mkdir(mode=0o700)
    package = postgres_part._programs().parent
    for source in (package, package.with_name(f"{package.name}.libs")):
        (private / source.name).symlink_to(source)
    with run_directory() as run:
        programs = private / package.name / postgres_part._programs().name
        copy = postgres_part._copy_for_others(programs, run.path / "programs")
        version = Child(
            run, "version", [copy / "bin" / "postgres", "--version"], user=postgres._user
        )
        assert await version.wait_ended(10) == 0
    assert private.stat().st_mode & 0o777 == 0o700
