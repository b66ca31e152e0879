"""`make demo`: the demo job on this machine, and a summary of what it made."""

import os
import sys

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def main() -> int:
    """Run the job, print the summary; 0 where every stage succeeded."""
    from rich.console import Console

    from lm.errors import LanguageModelError
    from orchestration.running import run_job

    console = Console()
    console.print("[bold]Causalsmith demo[/bold]: the whole chain on a real language model (SmolLM2-135M-Instruct).")
    try:
        outcome = run_job("demo")
    except (LanguageModelError, ValueError) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    if not outcome.succeeded:
        console.print(
            "[red]The demo did not finish; the line marked ✗ above says where. Run it again: finished work is reused.[/red]"
        )
        return 1
    from orchestration.summary import print_summary

    print_summary(console, outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main())
