"""Families that ask for the causal graph, over all columns (no {nodes}) or over a listed subset."""

from training.grammar.engine import Family, Split


def _family(name: str, template: str, split: Split = "train") -> Family:
    return Family(f"cgl-{name}", "CGL", split, template)


CGL_FAMILIES = (
    _family(
        "draw-all",
        "<please>[draw|build|learn|construct|produce|sketch|recover|infer|derive] [a|the] [causal graph|causal "
        "diagram|causal network|cause-and-effect map|causal structure|DAG|directed graph of causes] [for|over|of|"
        "among|across|linking] <all_columns> {in_file}.",
    ),
    _family(
        "draw-listed",
        "<please>[draw|build|learn|construct|produce|sketch|recover|infer] [a|the] [causal graph|causal diagram|"
        "causal network|cause-and-effect map|causal structure|DAG|web of causes] [for|over|of|among|linking|that "
        "connects] {nodes} {in_file}.",
    ),
    _family(
        "how-related-causally",
        "[how are {nodes} [causally related|causally connected|causally linked|linked by cause and effect|tied "
        "together causally|arranged causally]|how do {nodes} [depend on one another causally|cause one another|"
        "relate to each other as causes and effects|hang together causally]] {in_file}?",
    ),
    _family(
        "which-causes-which-listed",
        "which of {nodes} [cause which others|drive the others|are causes and which are effects|influence each "
        "other and in which direction|come first causally|are upstream of the rest] {in_file}?",
    ),
    _family(
        "which-causes-which-all",
        "[which variables cause which|what causes what|what drives what|who influences whom among the variables|"
        "which columns are causes and which are effects|which factors act on which] [when you look at|considering|"
        "among|across|if we take] <all_columns> {in_file}?",
    ),
    _family(
        "understand-links",
        "<want> <know> [the causal links|the cause-and-effect relations|the causal relationships|the causal "
        "dependencies|the causal web|how things cause each other] [between|among|within|connecting] {nodes} "
        "{in_file}.",
    ),
    _family(
        "understand-whole",
        "<want> <know> [the causal links|the cause-and-effect relations|the causal relationships|the full causal "
        "picture|the causal mechanism|how things cause each other] [between|among|across|behind] <all_columns> "
        "{in_file}.",
    ),
    _family(
        "wonder-direction",
        "<wonder> [which way the arrows point|what the direction of influence is|how the chain of causes runs|what "
        "the causal ordering is|which ones are causes and which are consequences] [between|among] {nodes} {in_file}.",
    ),
    _family(
        "discovery-run",
        "[run|perform|do|start|carry out|try|apply] [causal discovery|a causal discovery|causal structure learning|"
        "causal graph learning|structure discovery|graph discovery] [on|over|for|with|across] [{nodes}|{nodes}|"
        "<all_columns>] {in_file}.",
    ),
    _family(
        "network-question",
        "what [does the causal network|does the causal graph|does the causal structure|does the web of causes|would "
        "the causal diagram] [look like|be] [for|among|between|if we keep only|when restricted to] {nodes} "
        "{in_file}?",
    ),
    _family(
        "network-question-all",
        "what [does the causal network|does the causal graph|does the causal structure|would a causal diagram] look "
        "like [for|among|across|when we use|if you take] <all_columns> {in_file}?",
    ),
    _family(
        "can-you-find",
        "<can_you> [find|discover|identify|uncover|detect|map out|reveal|lay out] [the causal relationships|the "
        "cause-and-effect structure|causal connections|the causal paths|who causes whom|the arrows] [between|among] "
        "{nodes} {in_file}?",
    ),
    _family(
        "can-you-find-all",
        "<can_you> [find|discover|identify|uncover|detect|map out|reveal|lay out] [the causal relationships|the "
        "cause-and-effect structure|causal connections|the causal paths|the arrows] [between|among|across] "
        "<all_columns> {in_file}?",
    ),
    _family(
        "terse-listed",
        "[causal graph|causal structure|causal links|causal map|cause-effect graph|dag|graph of causes|causal "
        "network][:| for| of| over| between] {nodes} {in_file}[?|.|]",
    ),
    _family(
        "list-first",
        "we have {nodes} {in_file}. [what is the causal structure|how do they cause one another|which one leads to "
        "which|who drives whom|can you draw the arrows between them|what would a causal graph of them be|what are "
        "the cause-and-effect links here]?",
    ),
    _family(
        "story-tangle",
        "[it all seems tangled|many things move at once|everything seems to hang together|there are too many moving "
        "parts]: {nodes}. [what causes what|untangle the causes|which arrows are real|which links are causal] "
        "{in_file}?",
    ),
    _family(
        "explain-system",
        "[how does the system work causally|how does it all fit together causally|what is the causal story|what is "
        "the underlying causal mechanism] [if we use|when using|over|with] <all_columns> {in_file}?",
    ),
    _family(
        "untangle-listed",
        "[disentangle|unpick|sort out|trace] [the chain of causes|causes from effects|the directions of influence] "
        "[running through|connecting|in the set] {nodes} {in_file}.",
        "held_out",
    ),
    _family(
        "parents-children",
        "[for each of|taking] {nodes}, [what are its direct causes|which of the others is a parent of it|which "
        "others act directly on it|where do its causes lie] {in_file}?",
        "held_out",
    ),
    _family(
        "picture-all",
        "[give me|I need|show us|could we get] [a picture of|a map of|an overview of|the skeleton and directions "
        "of] [what brings about what|the causal flow|all cause-to-effect arrows] [within|over] <all_columns> "
        "{in_file}.",
        "held_out",
    ),
    _family(
        "do-they-cause",
        "[do|might] {nodes} [cause one another|give rise to each other|form a causal chain|share causal arrows], "
        "and [in what order|in which direction|how] {in_file}?",
        "held_out",
    ),
    _family(
        "whole-file-mechanism",
        "[reconstruct|reverse-engineer|reveal] [how these data came about|the generating mechanism|the causal "
        "wiring] [using|from|on] <all_columns> {in_file}.",
        "held_out",
    ),
)
