"""Linux's part: namespaces without a name, and network devices whose packets come to us (TUN).

A namespace lives as long as a process is in it or a file descriptor holds it, so nothing stays behind, however all ends.
"""

import contextlib
import ctypes
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

CLONE_NEWUTS = 0x0400_0000
CLONE_NEWNET = 0x4000_0000
OWN_NETWORK = "/proc/thread-self/ns/net"
OWN_NAME = "/proc/thread-self/ns/uts"
# linux/if_tun.h, linux/sockios.h, linux/if.h
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI, IFF_UP = 0x0001, 0x1000, 0x0001
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8913, 0x8914, 0x8916, 0x891C
DEVICE = b"lan0"
NETMASK = "255.255.255.0"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Host:
    """A host: its network and its name (file descriptors that hold the namespaces), and its network card (packets)."""

    address: str
    network: int
    name: int
    card: int

    def close(self) -> None:
        """Releases the namespace. It is gone when its processes are."""
        for descriptor in (self.card, self.network, self.name):
            os.close(descriptor)


def why_no_hosts() -> str | None:
    """None if hosts with networks of their own can be made here, else why not. Found out by making one."""
    if sys.platform != "linux":
        return "they need Linux"
    try:
        make_host("trial", "10.83.0.1").close()
    except PermissionError:
        return "they need root (or CAP_SYS_ADMIN and CAP_NET_ADMIN)"
    except OSError as error:
        return f"they need network namespaces and /dev/net/tun ({error.strerror}{f': {error.filename}' if error.filename else ''})"
    return None


def make_host(name: str, address: str) -> Host:
    """A host of that name with that address on its one network card. Raises OSError if the kernel does not permit it."""
    return _in_a_thread(lambda: _make_host(name, address))


def enter(namespaces: Sequence[str]) -> None:
    """This process goes there for good. The files of a host's namespaces are known by their paths."""
    for path in namespaces:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call("setns", descriptor, 0)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def inside(network: int) -> Iterator[None]:
    """What this thread opens meanwhile belongs to that network; sockets stay where they were made. Never wait in it."""
    back = os.open(OWN_NETWORK, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", network, CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", back, CLONE_NEWNET)
    finally:
        os.close(back)


def _in_a_thread(work: Callable[[], Result]) -> Result:
    """Runs something in a thread that is not used again, because a thread that enters a namespace stays in it."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  # it is raised again where the caller waits
            errors.append(error)

    thread = threading.Thread(target=run, name="host")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _make_host(name: str, address: str) -> Host:
    _call("unshare", CLONE_NEWNET | CLONE_NEWUTS)
    socket.sethostname(name)
    with contextlib.ExitStack() as on_failure:

        def held(path: str, flags: int) -> int:
            descriptor = os.open(path, flags | os.O_CLOEXEC)
            on_failure.callback(os.close, descriptor)
            return descriptor

        network, own_name = held(OWN_NETWORK, os.O_RDONLY), held(OWN_NAME, os.O_RDONLY)
        card = held("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        _ioctl(card, TUNSETIFF, struct.pack("16sH22x", DEVICE, IFF_TUN | IFF_NO_PI))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            _set_address(any_socket, SIOCSIFADDR, address)
            _set_address(any_socket, SIOCSIFNETMASK, NETMASK)
            for device in (b"lo", DEVICE):
                _switch_on(any_socket, device)
        on_failure.pop_all()
    return Host(address, network, own_name, card)


def _set_address(any_socket: socket.socket, what: int, address: str) -> None:
    family = struct.pack("H", socket.AF_INET)
    _ioctl(any_socket.fileno(), what, struct.pack("16s2s2x4s16x", DEVICE, family, socket.inet_aton(address)))


def _switch_on(any_socket: socket.socket, device: bytes) -> None:
    request = _ioctl(any_socket.fileno(), SIOCGIFFLAGS, struct.pack("16s24x", device))
    (flags,) = struct.unpack_from("H", request, 16)
    _ioctl(any_socket.fileno(), SIOCSIFFLAGS, struct.pack("16sH22x", device, flags | IFF_UP))


def _ioctl(descriptor: int, request: int, argument: bytes) -> bytes:
    import fcntl

    return fcntl.ioctl(descriptor, request, argument)


def _call(name: str, *arguments: int) -> None:
    """A function of the C library that Python 3.11 does not have yet. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
