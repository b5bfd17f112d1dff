"""What ``make setup`` does: look before it downloads, make ``.venv``, install pinned packages, explain what failed.

Runs on whatever ``python3`` is there, so that a Python too old can be told so: no syntax beyond 3.6, no package.
"""

import argparse
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 14)
"""The Pythons that pyproject.toml allows."""

SIZES = {
    # gigabytes to download, and on the disk; measured as docs/first-hour.md says
    "light": (0.2, 0.7),
    "cpu": (0.4, 1.9),
    "cuda": (3.0, 6.1),
    "dev": (0.3, 0.8),
}
OWN_PLACES = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL")
"""Variables by which pip takes packages from elsewhere, perhaps another build of PyTorch."""
CHEAPER = (
    "without an NVIDIA card the CPU build of PyTorch is enough and 4.2 GB less: "
    'make setup TORCH_INDEX=<the index for CPU of PyTorch\'s "Start Locally" page>'
)

TROUBLES = [  # what pip's output says, what that means, what mends it
    (
        r"No space left on device|Errno 28",
        "the disk is full: {cache} free where pip downloads to, {venv} free for {folder}",
        "free some, or name another disk: TMPDIR=<folder> PIP_CACHE_DIR=<folder>; the same command goes on",
    ),
    (
        r"ProxyError|Tunnel connection failed|Cannot connect to proxy",
        "the proxy did not answer: {proxy}",
        "set https_proxy=http://USER:PASSWORD@HOST:PORT, or unset it; the same command goes on",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerification",
        "the package index's certificate was not accepted: something between here and there replaces it, or it is old",
        "give pip the certificate of your network: PIP_CERT=<file.pem>; the same command goes on",
    ),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|Connection(?: was)? broken|"
        r"Network is unreachable|Temporary failure in name resolution|Connection refused|IncompleteRead",
        "{index} cannot be reached",
        "look at the network, and at https_proxy where there is a proxy (now: {proxy}); the same command goes on",
    ),
    (
        r"No matching distribution found for torch",
        "{index} holds no PyTorch that constraints.txt names for this system ({system})",
        'pick an index that does on PyTorch\'s "Start Locally" page, or leave TORCH_INDEX away',
    ),
    (
        r"ResolutionImpossible|No matching distribution found",
        "a pinned package is not to be had for this system ({system})",
        "README's table says which systems were resolved; pip's own words are above",
    ),
    (
        r"Permission denied|Errno 13",
        "a folder may not be written to",
        "make it yours: pip's own words are above; remove {folder} if another user made it",
    ),
]


class InstallError(Exception):
    """What is wrong, and what mends it."""


def check_python() -> None:
    """Refuse a Python that is too old or too new, and name one on this machine that will do."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    kind = "old" if sys.version_info[:2] < OLDEST else "new"
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    found = next((name for name in names if shutil.which(name)), None)
    mend = (
        f"this machine has another: make PYTHON={found} ..."
        if found
        else "install python3.13 beside it (your system's packages, or `uv python install 3.13`), then "
        "make PYTHON=python3.13 ..."
    )
    wanted = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
    raise InstallError(f"Python {platform.python_version()} is too {kind}, {wanted} is needed; {mend}")


def check_modules() -> None:
    """Refuse a Python without what makes environments, which Debian packs apart."""
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        name = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise InstallError(
            "this Python cannot make virtual environments; on Debian and Ubuntu: "
            f"apt install python3-venv (or {name}); "
            "elsewhere take another Python: make PYTHON=..."
        )


def build(extras: list, index: str) -> str:
    """Which sizes apply: without PyTorch, with its CPU build, or with CUDA, which PyPI's has on Linux."""
    if "train" not in extras:
        return "light"
    if index:
        return "cpu" if index.rstrip("/").endswith("cpu") else "cuda"
    return "cuda" if sys.platform == "linux" else "cpu"


def free(folder: Path) -> float:
    """Gigabytes free on the disk of a folder, or of the nearest one above that exists."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free / 1e9


def tell_sizes(venv: Path, kind: str, dev: bool) -> None:
    """Say what will be fetched and kept, and refuse where the disk cannot hold it."""
    bulk = "pyarrow" if kind == "light" else "torch"
    if version_of(venv) and any(venv.glob(f"lib/python*/site-packages/{bulk}/__init__.py")):
        print(f"bringing {venv} up to date")
        return
    fetched, kept = SIZES[kind]
    if dev:
        fetched, kept = (fetched + SIZES["dev"][0], kept + SIZES["dev"][1])
    words = {
        "light": "without PyTorch",
        "cpu": "with PyTorch",
        "cuda": "with PyTorch for GPUs",
    }[kind]
    print(
        f"installing {words} into {venv}: about {fetched:.1f} GB to download where nothing is cached, {kept:.1f} GB "
        f"on the disk; {free(venv):.0f} GB are free"
    )
    if kind == "cuda":
        print(CHEAPER)
    if kind == "cuda" and any(os.environ.get(name) for name in OWN_PLACES):
        print("pip looks in places of your own first; it needs less where they hold the CPU build")
        fetched, kept = (size - SIZES["cuda"][n] + SIZES["cpu"][n] for n, size in enumerate((fetched, kept)))
    temporary = Path(tempfile.gettempdir())
    places = [(venv, kept), (temporary, fetched)]
    if temporary.stat().st_dev == Path().stat().st_dev:
        places = [(venv, kept + fetched)]
    for folder, needed in places:
        if free(folder) < needed:
            raise InstallError(
                f"{free(folder):.1f} GB are free for {folder}, {needed:.1f} GB are needed; free some, or "
                + ("name another disk: TMPDIR=<folder> make ..." if folder == temporary else "see above")
            )


def run(command: list) -> tuple:
    """The exit status of a command, and all that it printed."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.communicate()[0].decode(errors="replace")
    return process.returncode, output


def version_of(venv: Path) -> str:
    """The Python of an environment that has pip, as "3.11"; empty where there is none, or half of one."""
    python = venv / "bin" / "python"
    if not python.exists():
        return ""
    asked = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    status, output = run([str(python), "-c", asked])
    return "" if status else output.strip()


def check_same(venv: Path) -> None:
    """Refuse an environment of another Python than the one that was asked for."""
    found, wanted = version_of(venv), "{}.{}".format(*sys.version_info[:2])
    if found and found != wanted:
        raise InstallError(
            f"{venv} is of Python {found}, not {wanted}; make clean, or keep both: make VENV=.venv-{wanted} ..."
        )


def make_venv(venv: Path) -> Path:
    """An environment with pip: the one that is there, or a new one where there is none or half of one."""
    python = venv / "bin" / "python"
    if version_of(venv):
        return python
    if venv.exists():
        print(f"{venv} is half made, or its Python is gone: made anew")
    status, output = run([sys.executable, "-m", "venv", "--clear", str(venv)])
    if status:
        print(output)
        raise InstallError(
            f"no virtual environment could be made in {venv}; on Debian and Ubuntu: apt install python3-venv"
        )
    return python


def pip_install(python: Path, arguments: list, what: str) -> None:
    """Run pip with one moving line on a terminal; on failure its last words and what they mean."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    command += ["--progress-bar", "off", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines, megabytes = [], 0.0
    units = {"kB": 1e-3, "MB": 1.0, "GB": 1e3, "bytes": 1e-6}
    for raw in process.stdout:
        line = raw.decode(errors="replace").rstrip()
        lines.append(line)
        size = re.match(r"\s*Downloading \S+ \(([\d.]+) (\w+)\)", line)
        if size:
            megabytes += float(size.group(1)) * units.get(size.group(2), 0.0)
        if sys.stdout.isatty() and line.strip():
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{f'{what}: {megabytes:,.0f} MB fetched; {line.strip()}'[:width]}", end="", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    if process.wait():
        text = "\n".join(lines)
        print("\n".join(lines[-12:]))
        raise InstallError(explain(text, python.parent.parent, arguments))
    print(f"{what}: done")


def explain(text: str, venv: Path, arguments: list) -> str:
    """What pip's output means, in one line with what mends it."""
    index = arguments[arguments.index("--index-url") + 1] if "--index-url" in arguments else "the package index"
    known = {
        "cache": f"{free(Path(tempfile.gettempdir())):.1f} GB",
        "venv": f"{free(venv):.1f} GB",
        "folder": venv,
        "proxy": os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY") or "none is set",
        "index": index,
        "system": f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    }
    for pattern, wrong, mend in TROUBLES:
        if re.search(pattern, text):
            return f"{wrong}; {mend}".format(**known)
    return "pip failed; its own words are above; the same command goes on"


def main() -> int:
    """Read the arguments and install; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("venv", type=Path)
    parser.add_argument("extras")
    parser.add_argument("--torch-index", default="")
    parser.add_argument("--same", action="store_true", help="only say whether the environment is of this Python")
    parser.add_argument("--sizes", action="store_true", help="only say what would be fetched")
    options = parser.parse_args()
    extras = options.extras.split(",")
    if hasattr(sys.stdout, "reconfigure"):  # what is said is seen at once, also in a file
        sys.stdout.reconfigure(line_buffering=True)
    try:
        check_python()
        if options.same:
            check_same(options.venv)
            return 0
        if not version_of(options.venv):
            check_modules()
        tell_sizes(options.venv, build(extras, options.torch_index), "dev" in extras)
        if options.sizes:
            return 0
        python = make_venv(options.venv)
        pins = ["--constraint", "constraints.txt"]
        if "train" in extras:  # first and by itself: another package would pull another build of it
            index = ["--index-url", options.torch_index] if options.torch_index else []
            pip_install(python, [*pins, "torch", *index], "PyTorch")
        pip_install(python, [*pins, "--editable", f".[{options.extras}]"], "Deep Red and what it needs")
    except InstallError as error:
        print(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
