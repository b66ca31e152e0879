"""The command line on nights: failures item by item, the reports, the champion and the way back."""

import io
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from orchestration.faults import clear_errors, print_json, quiet
from orchestration.outputs import require_file, write_table

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]


def failures(
    system: Annotated[
        str, typer.Option("--system", "-s", help="Whose failures: a column of the evaluation, such as untuned.")
    ] = "challenger",
    night: Annotated[
        str | None, typer.Option(help="Of which night, as YYYY-MM-DD; by default the newest data.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="Only of one task: CGL, ATE, HTE, MA, OPO or NONE.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only of one kind, such as 'wrong value'; see the table.")] = None,
    beside: Annotated[
        str | None, typer.Option(help="Only what this other system reads right: what was lost against it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many to list; 0 for the table alone.")] = 10,
    out: Annotated[Path | None, typer.Option(help="Also write all of them into this Parquet file.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the held-out questions that a system reads wrongly, grouped by what is wrong.

    They come from the last evaluation (asset `assistant_evaluation`), or from that of a night.

    Examples: `causalsmith failures --task HTE --limit 3`, `causalsmith failures --beside champion`
    """
    with clear_errors():
        quiet()
        import pandas as pd

        from causal_tools.errors import QueryError
        from training.failures import KINDS, counted, failures_of

        if out is not None:
            require_file(out, "--out", ".parquet")
        readings = _readings(night)
        tasks = sorted(readings["task"].unique())
        if task is not None and task not in tasks:
            raise QueryError(f"no task {task!r} in this evaluation; there are: {', '.join(tasks)}")
        if kind is not None and kind not in KINDS:
            raise QueryError(f"no kind {kind!r}; there are: {', '.join(KINDS)}")
        try:
            found = failures_of(readings, system)
            if beside:
                lost_by = set(failures_of(readings, beside)["id"])
                readings = readings[readings[beside].notna()]  # some are shown to a part of the systems
                found = found[found["id"].isin(set(readings["id"]) - lost_by)]
        except KeyError as error:
            raise QueryError(str(error.args[0])) from None
        asked = readings[readings[system].notna()]
        asked = asked if task is None else asked[asked["task"] == task]
        if task is not None:
            found = found[found["task"] == task]
        if kind is not None:
            found = found[[kind in kinds.split(", ") for kinds in found["kinds"]]]
        if out is not None:
            write_table(out, found, {"system": system, "night": night})
        counts = counted(found) if len(found) else pd.DataFrame()
        if as_json:
            print_json(
                {
                    "system": system,
                    "questions": len(asked),
                    "failures": found.to_dict("records"),
                    "kinds": counts["all"].to_dict() if len(counts) else {},
                }
            )
            return
        typer.echo(f"{system}: {len(found)} of {len(asked)} questions{' lost against ' + beside if beside else ''}")
        if len(found):
            _print_failures(found, counts, KINDS, limit)


def _print_failures(found: Any, counts: Any, kinds: dict[str, str], limit: int) -> None:
    table = Table("what is wrong", *map(str, counts.columns), title="Kinds", title_justify="left")
    for name, row in counts.iterrows():
        table.add_row(f"{name}: {kinds[str(name)]}", *map(str, row))
    console = Console()
    console.print(table)
    for row in found.head(limit).to_dict("records"):
        console.print(f"\n[bold]{row['kinds']}[/bold]  ({row['task']}, {row['topic']}, {row['id']})")
        console.print(row["question"], markup=False, soft_wrap=True)
        console.print(f"  wanted  {row['wanted']}", markup=False, soft_wrap=True)
        console.print(f"  read    {row['read']}", markup=False, soft_wrap=True)
    if limit and len(found) > limit:
        console.print(f"\n… and {len(found) - limit} more: --limit, or --out FILE.parquet")


def nights(as_json: AsJson = False) -> None:
    """List the nights that have a report, with the address of each page, newest first."""
    with clear_errors():
        quiet()
        from assets.nights import recorded_nights

        files = _files()
        found = [
            {
                "night": one["night"],
                "gate": "passed" if one["passed"] else "not passed",
                "figures": "in control" if one["in_control"] else one["drift"],
                "champion": one["champion"],
                "page": f"{files.blobs.root}/nightly_report/{one['address'].removeprefix('../../../')}",
            }
            for one in reversed(recorded_nights(files))
        ]
        if as_json:
            print_json({"nights": found})
            return
        if not found:
            typer.echo("No night yet. Run the job evaluation: make ui, or `make demo`.")
        for one in found:
            typer.echo(
                f"{one['night']}  gate {one['gate']}, {one['figures']}, champion {one['champion']}\n  {one['page']}"
            )


def models(as_json: AsJson = False) -> None:
    """List the registered versions of the assistant: which is champion, why it became that, and what was rolled back."""
    with clear_errors():
        quiet()
        from lm.places import shown
        from training.tracking import ADAPTER_TAG, OVER_TAG, REASON_TAG, ROLLED_BACK_TAG

        tracking = _tracking()
        aliases = {
            found.version: alias for alias in ("challenger", "champion") if (found := tracking.version_at(alias))
        }
        lines = [
            {
                "version": one.version,
                "alias": aliases.get(one.version, ""),
                "adapter": one.tags.get(ADAPTER_TAG, ""),
                "promoted_over": one.tags.get(OVER_TAG),
                "reason": one.tags.get(REASON_TAG, ""),
                "rolled_back": one.tags.get(ROLLED_BACK_TAG, ""),
            }
            for one in tracking.versions()
        ]
        if as_json:
            print_json({"registry": shown(tracking.uri), "versions": lines})
            return
        if not lines:
            typer.echo(
                f"No version is registered at {shown(tracking.uri)}; the adapter that comes with the project is in use."
            )
        for line in lines:
            told = [line["alias"], f"adapter {line['adapter']}"]
            told += [f"promoted over {line['promoted_over'] or 'the shipped adapter'}: {line['reason']}"] * bool(
                line["reason"]
            )
            told += [f"rolled back: {line['rolled_back']}"] * bool(line["rolled_back"])
            typer.echo(f"version {line['version']}  {'; '.join(filter(None, told))}")


def rollback(
    reason: Annotated[str, typer.Option(help="Why, for the record.", show_default=False)],
) -> None:
    """Give the alias `champion` back to the version that the champion replaced; one command, at once.

    The version that is taken down is not promoted again.

    Example: `causalsmith rollback --reason "misreads doses"`
    """
    with clear_errors():
        quiet()
        from causal_tools.errors import QueryError

        if not reason.strip():
            raise QueryError("--reason must say why, for whoever looks at the registry next")
        try:
            before, now = _tracking().roll_back(reason.strip())
        except LookupError as error:
            raise QueryError(str(error)) from None
        stands = (
            f"version {now.version}" if now else "no version; the adapter that comes with the project is in use again"
        )
        typer.echo(f"Version {before.version} is rolled back. Champion now: {stands}.")


def _readings(night: str | None) -> Any:
    import pandas as pd

    from assets.nights import recorded_nights
    from assets.storage import NotStored
    from causal_tools.errors import QueryError

    files = _files()
    try:
        if night is None:
            return files.get("assistant_evaluation")
        recorded = {one["night"]: one for one in recorded_nights(files)}
        if night not in recorded:
            there = ", ".join(list(recorded)[-10:]) or "none yet"
            raise QueryError(f"no night {night!r}; the last ones: {there}")
        digest = recorded[night]["digests"]["assistant_evaluation"]
        return pd.read_parquet(io.BytesIO(files.blobs.read(f"assistant_evaluation/{digest}/data.parquet")))
    except NotStored as error:
        raise QueryError(f"{error}. Run the job evaluation: make ui, or `make demo`") from None


def _files() -> Any:
    from orchestration.settings import chosen_settings
    from orchestration.storage import file_store

    return file_store(chosen_settings())


def _tracking() -> Any:
    from lm.places import home, tracking_uri
    from training.tracking import Tracking

    return Tracking(tracking_uri(), str(home() / "mlflow" / "artifacts"))
