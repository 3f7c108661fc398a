"""Before anything is loaded, whoever starts the server hears that its port is taken, and what to do."""

import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from patrol.foundation.listening import refuse_unusable
from patrol.foundation.settings import UnusableSetting


@pytest.fixture
def taken_port():
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        yield listening.getsockname()[1]


def test_a_taken_port_is_named_in_both_languages_with_a_free_one(taken_port):
    with pytest.raises(UnusableSetting) as refused:
        refuse_unusable(f"127.0.0.1:{taken_port}")
    zh, en = str(refused.value).splitlines()
    assert f"端口 {taken_port} 已被占用" in zh
    assert f"Port {taken_port} is in use" in en
    refuse_unusable(f"127.0.0.1:{en.rpartition('=')[2]}")


@pytest.mark.parametrize("bind", ["127.0.0.1:99999", "127.0.0.1:web", "203.0.113.7:18000"])
def test_where_nothing_can_listen_is_said_plainly(bind):
    with pytest.raises(UnusableSetting, match="无法在"):
        refuse_unusable(bind)


@pytest.mark.parametrize("bind", ["unix:/run/xunhe.sock", "fd://3"])
def test_other_sockets_are_left_to_the_server(bind):
    refuse_unusable(bind)


def test_the_command_ends_with_a_failure_and_without_a_stack_trace(taken_port):
    surroundings = {**os.environ, "XUNHE_ENV": "demo", "XUNHE_BIND": "", "PORT": str(taken_port)}
    done = subprocess.run(
        [sys.executable, "-m", "patrol.foundation.listening"], env=surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "已被占用" in done.stderr
    assert "Traceback" not in done.stderr
