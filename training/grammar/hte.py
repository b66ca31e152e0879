"""Families that ask for the effect within a subgroup: {group} is a noun phrase, {when} a clause."""

from training.grammar.engine import Family, Split


def _family(name: str, template: str, split: Split = "train") -> Family:
    return Family(f"hte-{name}", "HTE", split, template)


HTE_FAMILIES = (
    _family(
        "how-does-for",
        "how does {treatment} <really><affect> {response} [for|among|in|in the case of] {group} {in_file}?",
    ),
    _family(
        "for-first",
        "[for|among|looking only at|in|restricted to] {group}, [does|how does] {treatment} <affect> {response} "
        "{in_file}?",
    ),
    _family(
        "what-effect-group",
        "[what is|what's|how large is|how big is|what was] the <effect> of {treatment} on {response} [for|among|in|"
        "within] {group} {in_file}?",
    ),
    _family(
        "what-effect-when",
        "[what is|what's|how large is|how strong is] the <effect> of {treatment} on {response} {when} {in_file}?",
    ),
    _family(
        "when-first",
        "{when}, [how much|does|to what extent does|how does] {treatment} <affect> {response} {in_file}?",
    ),
    _family(
        "measure-group",
        "<please><measure> the <effect> of {treatment} on {response} [for|among|within|only for|just for|in] "
        "{group} {in_file}.",
    ),
    _family(
        "want-group",
        "<want> <know> [how|whether|<how_much>] {treatment} <affects> {response} [for|among|in] {group} {in_file}.",
    ),
    _family(
        "want-when",
        "<want> <know> [how|whether|if] {treatment} <affects> {response} {when} {in_file}.",
    ),
    _family(
        "if-we-change-group",
        "[if we changed|suppose we altered|imagine changing|if I adjusted|were we to change] {treatment} [for|in "
        "the case of|among] {group}, [what would happen to|how would that change|what should we expect for] "
        "{response} {in_file}?",
    ),
    _family(
        "does-help-group",
        "does {treatment} <really>[<raise>|<affect>] {response} [for|among|in] {group} {in_file}?",
    ),
    _family(
        "wonder-group",
        "<wonder> [whether|if|how|<how_much>] {treatment} <affects> {response}, [but only for|at least among|"
        "especially for|specifically for|in particular for|just among] {group} {in_file}.",
    ),
    _family(
        "subgroup-terse",
        "[effect of {treatment} on {response}, {group}|{treatment} -> {response} {when}|{group}: effect of "
        "{treatment} on {response}|subgroup effect of {treatment} on {response}, only {group}|CATE of {treatment} "
        "on {response} {when}|{treatment} on {response} among {group}] {in_file}[?|.|]",
    ),
    _family(
        "focus",
        "[focus on|restrict attention to|consider only|let us look at|I only care about|take just|think of] "
        "{group}. [what is the <effect> of|how strong is the <effect> of|estimate the <effect> of] {treatment} on "
        "{response} {in_file}[?|, please.]",
    ),
    _family(
        "can-you-group",
        "<can_you> <measure> [how|<how_much>] {treatment} <affects> {response} [for|among|in the subgroup of] "
        "{group} {in_file}?",
    ),
    _family(
        "difference-group",
        "what difference does {treatment} make to {response} [for|if we look at|among|in the group of|when it comes "
        "to] {group} {in_file}?",
    ),
    _family(
        "claim-group",
        "[people say|I suspect|my hunch is|I was told|some claim] that {treatment} <affects> {response} {when}. [is "
        "that so|can you check|how large is the effect there|does it hold|what can <data> tell us] {in_file}?",
    ),
    _family(
        "conditional-word",
        "[what is the|estimate the|give me the|I need the] [conditional|heterogeneous|subgroup-specific|group-level|"
        "local] [effect|treatment effect|causal effect|impact] of {treatment} on {response} [given that|provided "
        "that|with] {facts} {in_file}[?|.]",
    ),
    _family(
        "one-unit",
        "[take|consider|imagine|for] {one}: [how would|would|how much would] {treatment} [change|influence|affect|"
        "shift|alter] {response} {in_file}?",
    ),
    _family(
        "respond",
        "how [does|would] {response} [respond|react|change] [to|because of|as a result of] {treatment} {when} "
        "{in_file}?",
    ),
    _family(
        "particularly",
        "[how well does|does] {treatment} [work|do its job|succeed] [in moving|in changing|as a means to influence] "
        "{response}, [with a view to|as far as it concerns|when applied to] {group} {in_file}?",
        "held_out",
    ),
    _family(
        "slice",
        "[slice the data to|filter the rows down to|keep nothing but] {group}[;| and then| and] [say what|report "
        "what|show what] {treatment} does to {response} {in_file}.",
        "held_out",
    ),
    _family(
        "benefit",
        "[do|would] {group} [benefit|suffer|see a change], in terms of {response}, [from|thanks to|because of] "
        "{treatment} {in_file}?",
        "held_out",
    ),
    _family(
        "under-circumstances",
        "under the circumstances that {facts}, [what does {treatment} do to {response}|how sensitive is {response} "
        "to {treatment} as its cause|what follows from {treatment} for {response}] {in_file}?",
        "held_out",
    ),
    _family(
        "consequence-group",
        "what [consequences|repercussions] does {treatment} have for {response} {when} {in_file}?",
        "held_out",
    ),
)
