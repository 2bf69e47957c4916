"""Processes as they are measured: their CPU time, their memory, what they print."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("nothing listens on port %d" % port)


class Process:
    """A program with the processes it starts: none, for all that are measured here."""

    def __init__(self, command, log, environment=None, **options):
        self.log = open(log, "w+")
        options.setdefault("stdout", self.log)
        options.setdefault("stderr", self.log)
        self.process = subprocess.Popen(
            command, start_new_session=True, env={**os.environ, **(environment or {})}, **options
        )

    def cpu(self):
        """Seconds of user and system time so far."""
        fields = pathlib.Path("/proc/%d/stat" % self.process.pid).read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, line="VmHWM"):
        """MiB: the peak, or with `VmRSS` what is resident now."""
        text = pathlib.Path("/proc/%d/status" % self.process.pid).read_text()
        return int(re.search(line + r":\s+(\d+)", text)[1]) / 1024

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


class Talking(Process):
    """A tool that takes commands on its standard input and answers each with a line."""

    def __init__(self, command, log):
        super().__init__(
            command, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        line = self.process.stdout.readline()
        if not line.startswith("listening "):
            raise RuntimeError("%s did not start" % command[:2])
        self.address = line.split()[1]

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        return self.process.stdout.readline().strip()


class Sink(Talking):
    """The measuring sink; behind a certificate for `localhost` unless it speaks clear text."""

    def __init__(self, loadtest, folder, tls=True, options=()):
        command = [loadtest, "sink", *options]
        if tls:
            command += ["--cert", str(folder / "server.crt"), "--key", str(folder / "server.key")]
        super().__init__(command, folder / "sink.log")

    def counts(self):
        return json.loads(self.ask("status"))

    def settle(self, spans=None):
        """Waits until so many spans have come, or, without a number, none for a while."""
        last, since = -1, time.monotonic()
        while True:
            found = self.counts()["spans"]
            if spans is not None and found >= spans:
                return
            if found != last:
                last, since = found, time.monotonic()
            elif time.monotonic() - since > (3 if spans is None else 10):
                return
            time.sleep(0.05)


class Proxy(Talking):
    """The fault proxy as a long, narrow link."""

    def __init__(self, loadtest, folder, to, delay, bandwidth):
        super().__init__(
            [loadtest, "proxy", "--to", to, "--delay", delay, "--bandwidth", bandwidth], folder / "proxy.log"
        )

    def passed(self):
        """Bytes that went to the server."""
        return int(re.search(r"to-server=(\d+)", self.ask("status"))[1])


class Longspan(Process):
    """A role, with its addresses and metrics."""

    def __init__(self, binary, role, text, folder):
        configuration = folder / ("%s.yaml" % role)
        configuration.write_text(text)
        begin = time.monotonic()
        super().__init__(
            [binary, role, "--config", str(configuration)], folder / ("%s.log" % role), stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            if " ready " in line:
                self.start_seconds = time.monotonic() - begin
                self.addresses = dict(re.findall(r"(\w+)=(\S+)", line))
                break
        else:
            raise RuntimeError("%s did not start" % role)
        # What it still has to say must not fill the pipe.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def metric(self, name, label=""):
        with urllib.request.urlopen("http://%s/metrics" % self.addresses["admin"]) as answer:
            lines = answer.read().decode().splitlines()
        return sum(
            float(line.rpartition(" ")[2]) for line in lines if re.match(name + r"[{ ]", line) and label in line
        )

    def settle(self):
        while self.metric("longspan_held_spans") > 0:
            time.sleep(0.1)


def generate(loadtest, address, *options):
    """Runs the load generator to its end; its report."""
    command = [loadtest, "generate", "--to", address, *map(str, options)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
