"""`./dev`: what a newcomer meets first. Installs nothing; runs the script as they would."""

import hashlib
import importlib.machinery
import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path):
    """A copy of what the script reads, in a folder with a space in its name."""
    folder = tmp_path / "a clinic"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for name in ("dev", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def script(copy):
    """The copy as a module."""
    return load(copy / "dev")


def load(path: Path) -> ModuleType:
    """Import a script that has no suffix."""
    loader = importlib.machinery.SourceFileLoader("dev", str(path))
    spec = importlib.util.spec_from_loader("dev", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the copy's `./dev` from another folder."""
    argv = [sys.executable, str(folder / "dev"), *words]
    return subprocess.run(argv, cwd="/", capture_output=True, text=True, check=False)


def pretend_installed(script: ModuleType, *locks: str) -> None:
    """Make it look as if these locks had been installed."""
    script.PYTHON.parent.mkdir(parents=True)
    script.PYTHON.touch()
    stamp = {name: script.fingerprint(name) for name in locks}
    script.STAMP.write_text(json.dumps(stamp | {"python": sys.version.split()[0]}))


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_lists_every_command(copy, script, words):
    """Without a command, or asked for help, it lists every command with one line each."""
    answer = call(copy, *words)
    assert answer.returncode == 0
    for command in script.COMMANDS:
        assert (
            sum(line.startswith(f"  ./dev {command} ") for line in answer.stdout.split("\n")) == 1
        )


def test_an_unknown_command_is_refused(copy):
    """An unknown command exits with 2 and lists the known ones."""
    answer = call(copy, "tset")
    assert answer.returncode == 2
    assert "Unknown command: tset" in answer.stderr
    assert "./dev test" in answer.stderr


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_what_to_install(script, monkeypatch, missing):
    """Debian without python3-venv gets one line that names the package, and no traceback."""
    monkeypatch.setattr(script.importlib.util, "find_spec", lambda name: name != missing or None)
    with pytest.raises(SystemExit) as stopped:
        script.ensure("clinic")
    assert "python3-venv" in str(stopped.value)
    assert "\n" not in str(stopped.value)


def test_an_old_python_is_told_so(copy):
    """A Python before 3.11 gets one line, before it meets anything that it does not know."""
    code = (
        "import sys, runpy\n"
        "sys.version_info, sys.version = (3, 9, 2), '3.9.2 (default)'\n"
        f"runpy.run_path({str(copy / 'dev')!r}, run_name='__main__')"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert answer.stderr == "Kairos needs Python 3.11 or later; this is 3.9.2\n"


def test_the_committed_locks_are_current(copy):
    """The locks in the repository were made from the dependencies that pyproject.toml states."""
    assert call(copy, "stale-locks").returncode == 0


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("sekmet-fhir>=0.1.1", "sekmet-fhir>=0.1.2"),
        ('requires-python = ">=3.11"', 'requires-python = ">=3.12"'),
    ],
)
def test_a_changed_dependency_makes_the_locks_stale(copy, written, instead):
    """A changed range, or another Python, is noticed without a network."""
    path = copy / "pyproject.toml"
    path.write_text(path.read_text().replace(written, instead))
    answer = call(copy, "stale-locks")
    assert answer.returncode == 1
    assert "Run ./dev lock" in answer.stdout


def test_a_changed_comment_leaves_the_locks_current(copy):
    """What does not decide what is installed does not ask for new locks."""
    path = copy / "pyproject.toml"
    path.write_text(path.read_text() + "\n# another comment\n")
    assert call(copy, "stale-locks").returncode == 0


def test_a_second_run_installs_nothing(script, monkeypatch):
    """With the lock's sha256 in the stamp, pip is not called."""
    pretend_installed(script, "run", "clinic", "dev")
    monkeypatch.setattr(script, "follow", lambda *_: pytest.fail("installed again"))
    script.ensure("dev")
    script.ensure("clinic")  # a developer's .venv serves the demo too


def test_a_lock_stands_for_those_whose_extras_it_has(script, monkeypatch):
    """`peers` holds all that `dev` does, and nothing of `mutants`, which stands before it."""
    pretend_installed(script, "run", "clinic")
    record_steps(script, monkeypatch)
    script.ensure("peers")
    assert script.installed().keys() == {"python", "run", "clinic", "dev", "peers"}


def test_a_changed_lock_is_installed(script, monkeypatch):
    """After a pull that changed a lock, pip is called once, on the `.venv` that is there."""
    pretend_installed(script, "run", "clinic")
    script.lock_file("clinic").write_text(script.lock_file("clinic").read_text() + "# changed\n")
    steps = record_steps(script, monkeypatch)
    script.ensure("clinic")
    assert [step[2] for step in steps] == ["pip"]
    assert "--require-hashes" in steps[0]


def test_a_newer_release_on_the_index_does_not_break_the_install(script, tmp_path, monkeypatch):
    """What another package wants with extras is installed as locked, also when a newer exists."""
    index = tmp_path / "index"
    index.mkdir()
    locked = [wheel(index, "teller", "1", "counter[big]>=1"), wheel(index, "counter", "1")]
    wheel(index, "counter", "2")
    lock = tmp_path / "some.lock"
    lines = (
        f"{name}==1 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"
        for name, file in zip(("teller", "counter"), locked, strict=True)
    )
    lock.write_text("".join(lines))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    argv = [*script.install_from(lock, Path(sys.executable)), "--target", str(tmp_path / "here")]
    answer = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "Successfully installed counter-1 teller-1" in answer.stdout, answer.stdout


def wheel(folder: Path, name: str, version: str, needs: str = "") -> Path:
    """Write the smallest wheel there is, with an extra `big`, and return where it stands."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: big\n"
    metadata += f"Requires-Dist: {needs}\n" if needs else ""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{info}/METADATA", metadata)
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    return path


def test_an_interrupted_install_starts_afresh(script, monkeypatch):
    """An install that was killed leaves no stamp, so the next run makes `.venv` anew."""
    pretend_installed(script, "run", "clinic")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(script, "follow", killed)
        with pytest.raises(KeyboardInterrupt):
            script.ensure("dev")
    assert not script.STAMP.exists()
    steps = record_steps(script, monkeypatch)
    script.PYTHON.touch()
    script.ensure("clinic")
    assert [step[2] for step in steps] == ["venv", "pip"]
    assert "--clear" in steps[0]


def record_steps(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Keep what the install would have run instead of running it."""
    steps: list[list[str]] = []
    monkeypatch.setattr(script, "follow", lambda argv, *_: steps.append(argv))
    return steps


def test_a_failed_install_shows_why(script, capsys):
    """When pip fails, its last lines are shown and the exit says which step it was."""
    code = "print('no matching hash'); raise SystemExit(1)"
    folder = script.os.open(script.REQUIREMENTS, script.os.O_RDONLY)
    with pytest.raises(SystemExit) as stopped:
        script.follow([sys.executable, "-c", code], folder, 1)
    assert "no matching hash" in str(stopped.value)
    assert capsys.readouterr().out == ""


def test_check_runs_every_step_after_a_failure(script, monkeypatch, capsys):
    """One failing check does not hide the next; the last lines tell which failed."""
    monkeypatch.setattr(script, "step", lambda *words: int("mypy" in words))
    assert script.check([]) == 1
    lines = capsys.readouterr().out.splitlines()
    outcomes = [line.split()[0] for line in lines if line]
    assert outcomes == ["ok", "ok", "FAILED", "ok", "ok", "ok"]


def test_check_fast_formats_and_lints_only(script, monkeypatch):
    """`--fast` is for a commit hook: ruff and nothing else."""
    ran: list[tuple[str, ...]] = []

    def succeed(*words: str) -> int:
        ran.append(words)
        return 0

    monkeypatch.setattr(script, "step", succeed)
    assert script.check(["--fast"]) == 0
    assert all("ruff" in words for words in ran)
    assert len(ran) == 2


@pytest.mark.parametrize(
    ("words", "for_pytest"),
    [
        ([], ["-m", "not plain"]),
        (["unit"], ["-m", "not slow"]),
        (["unit", "-x"], ["-m", "not slow", "-x"]),
        (["tests/api", "-k", "dose"], ["tests/api", "-k", "dose"]),
    ],
)
def test_all_tests_run_two_files_at_a_time(script, words, for_pytest):
    """All tests and the quick ones run beside each other; other words reach pytest as they are."""
    given = script.for_pytest(words)[-1]
    assert given[len(given) - len(for_pytest) :] == for_pytest
    assert ("--numprocesses" in given) == (words in ([], ["unit"]))


def test_all_tests_hold_the_domain_to_every_branch(script):
    """Of two runs that share no test, the first fails below 100 percent of `domain/`."""
    held, others = script.for_pytest([])
    assert held[held.index("-m") + 1] == "plain"
    assert others[others.index("-m") + 1] == "not plain"
    assert {"tests/domain", "--cov=domain", "--cov-fail-under=100"} <= set(held)
    assert not any(word.startswith("--cov") for word in others)


@pytest.mark.parametrize("failing", [0, 1, None])
def test_all_tests_run_whichever_fails(script, monkeypatch, failing: int | None):
    """A run that fails stops no other, and its exit code is the command's."""
    monkeypatch.chdir(script.ROOT)  # `main` goes there; the next test is back where it was
    pretend_installed(script, "run", "clinic", "dev")
    ran: list[tuple[str, ...]] = []

    def run(*words: str) -> int:
        ran.append(words)
        return int(len(ran) - 1 == failing)

    def replaced(_path: str, words: list[str]) -> int:
        return run(*words[1:])

    monkeypatch.setattr(script, "step", run)
    monkeypatch.setattr(script.os, "execv", replaced)
    assert script.main(["test"]) == int(failing is not None)
    assert [words[words.index("-m", 2) + 1] for words in ran] == ["plain", "not plain"]
