"""How the page looks: the machine's own fonts, one accent, a width that can be read, tables that scroll within the page."""

from __future__ import annotations

from typing import Any

ACCENT = "#0b6e99"  # as in the plots
CSS = """
.gradio-container {max-width: 860px !important; margin: 0 auto !important}
.gradio-container .prose h2 {margin: 1.2em 0 .2em; font-size: 1.25em}
.page-html {max-width: 100%; min-width: 0}
.page-html:has(> .html-container > .prose:empty) {display: none}
.page-html > .html-container {padding: 0 !important}
.page-html ul {list-style: disc; padding-left: 1.3em; margin: .2em 0 .6em}
.page-html h3 {font-size: 1em; font-weight: 600; margin: .8em 0 .2em}
.page-html h4 {font-size: .92em; font-weight: 500; margin: .6em 0 .2em}
.page-html p {margin: .4em 0; overflow-wrap: anywhere}
.page-html details summary {cursor: pointer; margin: .6em 0 .4em}
.wide {overflow-x: auto; margin: .4em 0; width: 100%; contain: inline-size; max-height: 30em}
.wide table {border-collapse: collapse; font-size: .92em; margin: 0; width: auto}
.wide th, .wide td {border: 1px solid var(--border-color-primary); padding: .25em .6em; text-align: left;
  white-space: nowrap; font-variant-numeric: tabular-nums}
.wide th {background: var(--background-fill-secondary); font-weight: 600}
.status {padding-top: .3em}
.quiet, .status {color: var(--body-text-color-subdued); font-size: .92em}
.explanation {font-size: 1.05em; line-height: 1.5}
.estimate {border-left: 4px solid #0b6e99; padding: .2em .8em; margin: .8em 0 !important}
.estimate strong {font-size: 1.5em}
.trouble {border-left: 4px solid #b42318; background: var(--background-fill-secondary); padding: .6em .9em;
  overflow-wrap: anywhere}
.examples {gap: .4em !important}
.examples button {white-space: normal; text-align: left; font-weight: 400; justify-content: flex-start;
  background: transparent; border: 1px solid var(--border-color-primary)}
footer {display: none !important}
"""


def theme() -> Any:
    """A theme that loads no font and darkens what is quiet, so that it stays readable."""
    import gradio as gr

    return gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]).set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        button_primary_background_fill=ACCENT,
        button_primary_background_fill_hover="#095a7d",
        button_primary_background_fill_dark=ACCENT,
        button_primary_background_fill_hover_dark="#095a7d",
        button_primary_text_color="white",
        checkbox_background_color_selected=ACCENT,
        checkbox_background_color_selected_dark=ACCENT,
        checkbox_border_color_selected=ACCENT,
        checkbox_border_color_selected_dark=ACCENT,
        color_accent=ACCENT,
    )
