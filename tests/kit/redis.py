"""A real redis-server on loopback, for one test."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.kit.ports import free_port

PASSWORD = "hunter2hunter2"


class RedisServer:
    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "-"],
            stdin=subprocess.PIPE,
            cwd=self._directory,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        settings = f"port {self.port}\nbind 127.0.0.1\nrequirepass {PASSWORD}\n"
        self._process.stdin.write(settings.encode())
        self._process.stdin.close()
        for line in self._process.stdout:
            if b"Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
