"""`make ui`: Dagster and MLflow on 127.0.0.1, until interrupted."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lm.places import home, tracking_uri
from orchestration.home import prepare_dagster_home
from orchestration.settings import CHECKOUT

HOST = (
    "127.0.0.1"  # neither server asks who you are: put an authenticating proxy in front before opening them to others
)


def commands(port: int, mlflow_port: int) -> list[list[str]]:
    """The two servers' command lines."""
    scripts = Path(sys.executable).parent
    dagster = [str(scripts / "dagster"), "dev", "-w", str(CHECKOUT / "workspace.yaml"), "-h", HOST, "-p", str(port)]
    mlflow = [
        str(scripts / "mlflow"),
        "server",
        "--host",
        HOST,
        "--port",
        str(mlflow_port),
        "--workers",
        "1",
        "--backend-store-uri",
        tracking_uri(),
        "--default-artifact-root",
        str(home() / "mlflow" / "artifacts"),
    ]
    return [dagster, mlflow]


def main() -> int:
    """Start both, wait, and stop both when either ends or on Ctrl-C."""
    parser = argparse.ArgumentParser(description="Open Dagster and MLflow on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--mlflow-port", type=int, default=5000)
    chosen = parser.parse_args()
    prepare_dagster_home()
    (home() / "mlflow").mkdir(parents=True, exist_ok=True)
    quiet = {**os.environ, "DAGSTER_DISABLE_TELEMETRY": "yes", "MLFLOW_DISABLE_TELEMETRY": "true"}
    servers = [
        subprocess.Popen(line, cwd=CHECKOUT, env=quiet, start_new_session=True)  # noqa: S603
        for line in commands(chosen.port, chosen.mlflow_port)
    ]
    sys.stdout.write(
        f"Dagster: http://{HOST}:{chosen.port}   MLflow: http://{HOST}:{chosen.mlflow_port}   (Ctrl-C stops both)\n"
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
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
