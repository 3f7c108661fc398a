"""Whether the server can listen where it is told to, asked before anything else is done: `python -m patrol.foundation.listening`."""

import errno
import socket
from contextlib import closing

from gunicorn.util import parse_address

from patrol.foundation.settings import Settings, UnusableSetting
from patrol.foundation.texts import Text

PORTS_TRIED = 50
_TAKEN = Text(
    "端口 {port} 已被占用，可能是另一个正在运行的巡河。请先停止占用它的程序（在其窗口按 Ctrl-C），或换一个端口：make run PORT={other}",
    "Port {port} is in use, perhaps by another Xunhe that still runs. Stop what uses it (Ctrl-C in its window), or take another port: "
    "make run PORT={other}",
)  # fmt: skip
_UNUSABLE = Text(
    "无法在 {address} 上监听：{why}。请换一个端口或地址，例如：make run PORT=8000",
    "It is not possible to listen on {address}: {why}. Take another port or address, such as: make run PORT=8000",
)


def refuse_unusable(bind: str) -> None:
    """Raise UnusableSetting, in both languages, when nothing can listen on `bind` (host:port) now. Sockets of other kinds pass."""
    try:
        address = parse_address(bind)
    except RuntimeError as error:
        raise _refused(_UNUSABLE.format(address=bind, why=error)) from None
    if not isinstance(address, tuple):
        return
    host, port = address
    fault = _fault(host, port)
    if fault is None:
        return
    if isinstance(fault, OSError) and fault.errno == errno.EADDRINUSE:
        other = next((number for number in range(port + 1, min(port + PORTS_TRIED, 65536)) if _fault(host, number) is None), 8000)
        raise _refused(_TAKEN.format(port=port, other=other))
    why = fault.strerror if isinstance(fault, OSError) else fault
    raise _refused(_UNUSABLE.format(address=bind, why=why or fault))


def _refused(words: Text) -> UnusableSetting:
    return UnusableSetting(f"{words.zh}\n{words.en}")


def _fault(host: str, port: int) -> OSError | OverflowError | None:
    """Return what keeps a server from listening there, None for nothing; it tries as gunicorn does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
            tried.listen(1)
        except (OSError, OverflowError) as fault:
            return fault
    return None


if __name__ == "__main__":
    refuse_unusable(Settings().bind_address)
