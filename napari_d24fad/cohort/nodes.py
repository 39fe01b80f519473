"""Where workers come from: this machine, a scheduler that runs elsewhere, or SLURM. Dask does the rest."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from napari_d24fad.cores import usable_cores
from napari_d24fad.errors import ArgumentError, Code, CohortError

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

CONNECT_SECONDS = 20.0
_ADDRESS = re.compile(r"(?:(?P<kind>\w+)://)?(?P<host>\[[^\]]+\]|[^:/]+):\d{1,5}/?")
_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
_SCHEDULER = {
    # What Dask keeps of the past would grow with every case.
    "distributed.admin.low-level-log-length": 1_000,
    "distributed.scheduler.dashboard.tasks.task-stream-length": 1_000,
    # No case waits at a worker that is busy with one that may end it.
    "distributed.scheduler.worker-saturation": 1.0,
}


@dataclass(frozen=True, slots=True)
class Tls:
    """Files (PEM) for an encrypted connection to a scheduler.

    Attributes:
        authority: Certificate of the authority that vouches for all nodes.
        certificate: Of this program.
        key: That goes with it.
    """

    authority: Path = field(repr=False)
    certificate: Path = field(repr=False)
    key: Path = field(repr=False)


@dataclass(frozen=True, slots=True)
class Nodes:
    """Workers, and how they are reached.

    Attributes:
        connect: Connects to their scheduler, again if need be; raises OSError where that cannot be.
        told: What the user should know: how many there are, and where to watch them.
    """

    connect: Callable[[], Client]
    told: str


@contextmanager
def local_nodes(count: int) -> Iterator[Nodes]:
    """Starts workers on this machine, each a process that is started again if it ends.

    Nobody else on the machine can speak to them: their connections are encrypted, with keys that are in the
    memory of these processes alone. All of them end with this program.

    Args:
        count: How many; they share the cores.

    Raises:
        CohortError: ``EXTRA_MISSING``.
    """
    _check_extra("distributed")
    import dask
    from distributed import Client, LocalCluster

    threads = str(max(1, usable_cores() // count))
    # The environment of workers before they import anything.
    environment = {f"distributed.nanny.pre-spawn-environ.{name}": threads for name in _THREADS}
    with (
        _own_environment(),
        TemporaryDirectory() as scratch,
        dask.config.set({**_SCHEDULER, **environment}),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=scratch,
            security=_own_keys(),
        ) as cluster,
    ):
        connect = partial(Client, cluster, timeout=CONNECT_SECONDS, set_as_default=False)
        yield Nodes(connect, f"{count} workers; watch them at {cluster.dashboard_link}")


@contextmanager
def _own_environment() -> Iterator[None]:
    """Puts back what Dask sets of threads in this process, where the next workers would take it over."""
    before = {name: os.environ.get(name) for name in _THREADS}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def given_nodes(address: str, tls: Tls | None) -> Iterator[Nodes]:
    """Takes the workers of a scheduler that runs already.

    Args:
        address: Such as ``tls://node1:8786``.
        tls: Its certificates; None for a scheduler on this machine that has none.

    Raises:
        ArgumentError: BAD_ARGUMENT if it is no address.
        CohortError: ``NODES_NOT_ENCRYPTED``, ``EXTRA_MISSING``, ``SCHEDULER_LOST``.
    """
    check_encrypted(address, tls)
    _check_extra("distributed")
    from distributed import Client

    security = None if tls is None else _security(tls)
    connect = partial(Client, address, timeout=CONNECT_SECONDS, set_as_default=False, security=security)
    try:
        with connect() as client:
            watch, count = client.dashboard_link, len(client.scheduler_info(n_workers=-1)["workers"])
    except OSError as error:
        raise CohortError(Code.SCHEDULER_LOST) from error
    yield Nodes(connect, f"{count} workers; watch them at {watch}")


@contextmanager
def slurm_nodes(options: str, folder: Path) -> Iterator[Nodes]:
    """Asks SLURM for workers, and gives them back in the end; connections are encrypted.

    Args:
        options: Such as ``jobs=10,queue=gpu,cores=4,memory=16GB,walltime=08:00:00``: the names of
            `dask_jobqueue.SLURMCluster`, and how many jobs.
        folder: Of the cohort: which all nodes see, and where the keys of this run lie until it ends.

    Raises:
        ArgumentError: BAD_ARGUMENT if they are none.
        CohortError: ``EXTRA_MISSING``.
    """
    known = slurm_options(options)
    _check_extra("dask_jobqueue")
    import dask
    from dask_jobqueue.slurm import SLURMCluster
    from distributed import Client

    jobs = int(known.pop("jobs"))
    with TemporaryDirectory(prefix=".d24fad-keys-", dir=folder) as keys, dask.config.set(_SCHEDULER):
        try:
            made = SLURMCluster(
                **known,
                processes=1,
                worker_extra_args=["--nthreads", "1"],  # a case has all cores of its job
                job_script_prologue=[f"export {name}={known['cores']}" for name in _THREADS],
                security=_own_keys(),
                protocol="tls://",
                shared_temp_directory=keys,
                scheduler_options={"dashboard_address": "127.0.0.1:0"},  # it is not encrypted
            )
        except (TypeError, ValueError, RuntimeError):
            raise ArgumentError(
                Code.BAD_ARGUMENT, "dask-jobqueue does not take the options of --slurm."
            ) from None
        with made as cluster:
            cluster.scale(jobs=jobs)
            connect = partial(Client, cluster, timeout=CONNECT_SECONDS, set_as_default=False)
            watch = "watch them on this machine at"
            yield Nodes(connect, f"{jobs} jobs of SLURM; {watch} {_local_link(cluster.dashboard_link)}")
        for name in ("ca_file", "cert", "key"):  # else it would close them when they are gone
            getattr(made, f"_job_{name}").close()


def _local_link(link: str) -> str:
    """Returns the address of a dashboard that listens on this machine alone."""
    return re.sub(r"//[^:/]+", "//127.0.0.1", link)


def check_encrypted(address: str, tls: Tls | None) -> None:
    """Refuses a connection to another machine over which anybody could read, or run programs on the nodes.

    Raises:
        ArgumentError: BAD_ARGUMENT if it is no address.
        CohortError: ``NODES_NOT_ENCRYPTED``.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None or found["kind"] not in (None, "tcp", "tls"):
        raise ArgumentError(Code.BAD_ARGUMENT, "A scheduler is given as tls://HOST:PORT.")
    if found["kind"] == "tls":
        if tls is None:
            raise CohortError(Code.NODES_NOT_ENCRYPTED, "Its certificates are missing.")
    elif not _is_local(found["host"].strip("[]")):
        raise CohortError(Code.NODES_NOT_ENCRYPTED)


def slurm_options(options: str) -> dict[str, Any]:
    """Reads ``name=value,name=value``.

    Raises:
        ArgumentError: BAD_ARGUMENT if they are none, or jobs, cores or memory are missing.
    """
    pairs = dict(part.partition("=")[::2] for part in options.split(","))
    known: dict[str, Any] = {name.strip(): value.strip() for name, value in pairs.items()}
    numbers = {name: known.get(name, "") for name in ("jobs", "cores")}
    if not known.get("memory") or not all(each.isascii() and each.isdigit() for each in numbers.values()):
        told = "--slurm needs at least jobs=N,cores=N,memory=SIZE, such as jobs=10,cores=4,memory=16GB."
        raise ArgumentError(Code.BAD_ARGUMENT, told)
    return {**known, **{name: int(each) for name, each in numbers.items()}}


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _own_keys() -> Security:
    """Returns keys for this run alone."""
    from distributed.security import Security

    _check_extra("cryptography")
    made: Security = Security.temporary()
    return made


def _security(tls: Tls) -> Security:
    from distributed.security import Security

    files: Mapping[str, Path] = {
        "tls_ca_file": tls.authority,
        "tls_client_cert": tls.certificate,
        "tls_client_key": tls.key,
    }
    return Security(require_encryption=True, **{name: str(path) for name, path in files.items()})


def _check_extra(name: str) -> None:
    try:
        __import__(name)
    except ImportError as error:
        raise CohortError(Code.EXTRA_MISSING, f"It is {name.replace('_', '-')}.") from error
