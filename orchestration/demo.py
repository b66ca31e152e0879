"""`make demo`: the demo job on this machine, and a summary of what it made."""

import os
import resource
import sys
import time
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def main() -> int:
    """Run the job, print the summary; 0 where every stage succeeded."""
    from rich.console import Console

    from lm.errors import LanguageModelError
    from orchestration.home import prepare_dagster_home

    console = Console()
    start = time.monotonic()
    console.print("[bold]Causalsmith demo[/bold]: the whole chain on a real language model (SmolLM2-135M-Instruct).")
    try:
        prepare_dagster_home()
        result = _run()
    except (LanguageModelError, ValueError) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    if not result.success:
        console.print(
            "[red]The demo did not finish; the line marked ✗ above says where. Run it again: finished work is reused.[/red]"
        )
        return 1
    from orchestration.summary import print_summary, reused_counts

    children = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    reused, made = reused_counts(result.run_id)
    print_summary(
        console, reused=reused, made=made, seconds=time.monotonic() - start, peak_gigabytes=max(children) / 1e6
    )
    return 0


def _run() -> Any:
    import logging
    import warnings

    import dagster as dg

    warnings.filterwarnings("ignore")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from orchestration.definitions import defs
    from orchestration.jobs import QUIET

    with dg.DagsterInstance.get() as instance:
        return defs.resolve_job_def("demo").execute_in_process(
            instance=instance, raise_on_error=False, run_config=QUIET
        )


if __name__ == "__main__":
    sys.exit(main())
