"""The command line on models: export."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from orchestration.faults import clear_errors, quiet


def export(
    out: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
    model: Annotated[str, typer.Option("--model", "-m", help="Language model, as for `ask`.")] = "assistant",
    form: Annotated[
        Literal["merged", "adapter"],
        typer.Option(help="The whole model with the adapter merged in, or the adapter alone."),
    ] = "merged",
    dtype: Annotated[Literal["float32", "bfloat16"], typer.Option(help="Number type of merged weights.")] = "float32",
) -> None:
    """Write a model as safetensors, for transformers and other software.

    Example: `causalsmith export assistant_merged --dtype bfloat16`
    """
    with clear_errors():
        quiet()
        from lm import load_language_model
        from lm.export import export_model

        folder = export_model(load_language_model(model, dtype=dtype), out, form)
        size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
        typer.echo(f"{model} is in {folder} ({form}, {size / 1e6:.1f} MB)")
