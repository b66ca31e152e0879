"""`make ui`: Dagster and MLflow on 127.0.0.1, until interrupted."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from assets.errors import SettingsError
from lm.places import home, shown, tracking_uri
from orchestration.ending import when_told_to_end
from orchestration.home import prepare_dagster_home
from orchestration.settings import CHECKOUT

HOST = (
    "127.0.0.1"  # neither server asks who you are: put an authenticating proxy in front before opening them to others
)


def commands(port: int, mlflow_port: int) -> list[list[str]]:
    """The servers' command lines: Dagster's, and MLflow's where ``MLFLOW_TRACKING_URI`` names no server that is there already."""
    scripts = Path(sys.executable).parent
    dagster = [str(scripts / "dagster"), "dev", "-w", str(CHECKOUT / "workspace.yaml"), "-h", HOST, "-p", str(port)]
    if tracking_uri().startswith(("http://", "https://")):
        return [dagster]
    mlflow = [
        str(scripts / "mlflow"),
        "server",
        "--host",
        HOST,
        "--port",
        str(mlflow_port),
        "--workers",
        "1",
        "--default-artifact-root",
        str(home() / "mlflow" / "artifacts"),
    ]
    return [dagster, mlflow]


def main() -> int:
    """Start the servers, wait, and stop all when one ends, on Ctrl-C or when the terminal is closed."""
    parser = argparse.ArgumentParser(description="Open Dagster and MLflow on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--mlflow-port", type=int, default=5000)
    chosen = parser.parse_args()
    try:
        prepare_dagster_home()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    (home() / "mlflow").mkdir(parents=True, exist_ok=True)
    quiet = {
        **os.environ,
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_BACKEND_STORE_URI": tracking_uri(),  # on the command line everybody here could read a password in it
    }
    servers: list[subprocess.Popen[bytes]] = []
    when_told_to_end(lambda: sys.exit(0))
    try:
        for line in commands(chosen.port, chosen.mlflow_port):
            servers.append(subprocess.Popen(line, cwd=CHECKOUT, env=quiet, start_new_session=True))  # noqa: S603
        mlflow = f"http://{HOST}:{chosen.mlflow_port}" if len(servers) > 1 else shown(tracking_uri())
        sys.stdout.write(f"Dagster: http://{HOST}:{chosen.port}   MLflow: {mlflow}   (Ctrl-C stops what was started)\n")
        sys.stdout.flush()
        while all(server.poll() is None for server in servers):
            time.sleep(0.5)
    except KeyboardInterrupt:
        return 0
    finally:
        for server in servers:
            stop(server)
    return max(server.returncode or 0 for server in servers)


def stop(server: subprocess.Popen[bytes], patience: float = 10.0) -> None:
    """End a server, which must lead its own session, with all that it started: launchers leave children that hold the ports."""
    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, kind)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            server.poll()
            try:
                os.killpg(server.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
