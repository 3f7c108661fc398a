"""A line to a server that keeps breaking: a proxy that cuts connections in the middle, and counts what clients sent."""

import socket
import struct
import threading
from random import Random

# Sends a reset instead of a farewell.
_ABORT = struct.pack("ii", 1, 0)
_TIMEOUT_S = 20


class BreakingLine:
    """Listens on `port` and forwards to `server_port`; cuts as often as there are `budgets`, then it holds.

    Each time as many bytes as the next budget have gone out, the connection that carried the last of them is cut. Every
    second cut is a reset; the others look as if the client had gone in an orderly way. `sent` counts the bytes that clients
    sent, heads included, `cuts` the connections cut.
    """

    def __init__(self, server_port: int, budgets: list[int]) -> None:
        self._server_port, self._budgets, self._changing = server_port, list(budgets), threading.Lock()
        self.sent = self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._start(self._listen)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._forward, client)

    def _forward(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
            client.settimeout(_TIMEOUT_S)
            server.settimeout(_TIMEOUT_S)
            answering = threading.Thread(target=self._answer, args=(server, client), daemon=True)
            answering.start()
            self._pass_on(client, server)
            for side in (server, client):
                _shut(side)
            answering.join(_TIMEOUT_S)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(4096):
                let_through, is_cut = self._spend(len(data))
                server.sendall(data[:let_through])
                if is_cut:
                    self._cut(server, client)
                    return
        except OSError:
            return

    def _spend(self, n_bytes: int) -> tuple[int, bool]:
        """Return how many of these bytes go through, and whether the line breaks after them.

        All connections spend the same budget: one that a client keeps open and says nothing on must not hold a cut back.
        """
        with self._changing:
            self.sent += n_bytes
            if not self._budgets:
                return n_bytes, False
            if n_bytes < self._budgets[0]:
                self._budgets[0] -= n_bytes
                return n_bytes, False
            self.cuts += 1
            return self._budgets.pop(0), True

    def _cut(self, *sides: socket.socket) -> None:
        for side in sides if self.cuts % 2 == 0 else ():
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        _shut(client)

    def close(self) -> None:
        """Listen no more and wait for what is under way."""
        _shut(self._listener)
        self._listener.close()
        for thread in self._threads:
            thread.join(_TIMEOUT_S)


def budgets(times: int, *, most: int, chance: Random) -> list[int]:
    """Return after how many bytes each of `times` connections breaks: between 1 and `most`."""
    return [chance.randint(1, most) for _ in range(times)]


def _shut(side: socket.socket) -> None:
    try:
        side.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
