"""Families that ask for mediation: how much of an effect passes through a third variable."""

from training.grammar.engine import Family, Split


def _family(name: str, template: str, split: Split = "train") -> Family:
    return Family(f"ma-{name}", "MA", split, template)


MA_FAMILIES = (
    _family(
        "does-through",
        "does {treatment} <affect> {response} <through> {mediator} {in_file}?",
    ),
    _family(
        "how-much-through",
        "[how much|what share|what part|which portion|what fraction] of the <effect> of {treatment} on {response} "
        "[runs|goes|passes|flows|works|operates|is carried] <through> {mediator} {in_file}?",
    ),
    _family(
        "is-mediated",
        "is the <effect> of {treatment} on {response} [mediated|carried|transmitted|explained|passed on|channelled] "
        "[by|through|via] {mediator} {in_file}?",
    ),
    _family(
        "role-of",
        "what role does {mediator} play in [how {treatment} <affects> {response}|the <effect> of {treatment} on "
        "{response}|the path from {treatment} to {response}] {in_file}?",
    ),
    _family(
        "direct-indirect",
        "<please>[split|break down|decompose|divide|separate] the <effect> of {treatment} on {response} into [a "
        "direct part and|direct and indirect effects, with|its direct part and|the direct effect and] [the part "
        "through|one through|the share via|the indirect part via] {mediator} {in_file}.",
    ),
    _family(
        "direct-not-via",
        "[what is the direct effect|how large is the direct effect|is there a direct effect] of {treatment} on "
        "{response} [that does not go through|apart from what goes through|beyond|other than through|on top of the "
        "path via] {mediator} {in_file}?",
    ),
    _family(
        "indirect-effect",
        "[what is|estimate|compute|how large is|give me|find] the [indirect effect|mediated effect|natural indirect "
        "effect|effect] of {treatment} on {response} [through|via|by way of|that passes through] {mediator} "
        "{in_file}[?|.]",
    ),
    _family(
        "want",
        "<want> <know> [whether|if|how|<how_much>] {treatment} <affects> {response} <through> {mediator} {in_file}.",
    ),
    _family(
        "wonder-why",
        "[we know that|it is clear that|we saw that|we believe that|evidently] {treatment} <affects> {response}[;|, "
        "but|.] [is it because of {mediator}|is {mediator} the reason|does it work through {mediator}|is {mediator} "
        "the explanation] {in_file}?",
    ),
    _family(
        "mediator-named",
        "is {mediator} [the|one] <between_step> [between {treatment} and {response}|that leads from {treatment} to "
        "{response}|linking {treatment} with {response}|by which {treatment} <affects> {response}] {in_file}?",
    ),
    _family(
        "analysis",
        "[run|do|perform|carry out|set up] [a mediation analysis|a path analysis|a mediation study|an analysis of "
        "direct and indirect effects] [of|for] {treatment} on {response} with {mediator} as the <between_step> "
        "{in_file}.",
    ),
    _family(
        "terse",
        "[mediation: {treatment} -> {mediator} -> {response}|{treatment} -> {mediator} -> {response}, direct and "
        "indirect|indirect effect of {treatment} on {response} via {mediator}|mediation of {treatment} on "
        "{response} by {mediator}|{mediator} as mediator between {treatment} and {response}|direct vs indirect "
        "effect: {treatment}, {response}, through {mediator}] {in_file}[?|.|]",
    ),
    _family(
        "can-you",
        "<can_you> [<tell>|<measure>] [whether|how|<how_much>] {treatment} <affects> {response} <through> "
        "{mediator} {in_file}?",
    ),
    _family(
        "chain-story",
        "[the idea is that|my theory is that|we think that|the plan assumes that|supposedly] {treatment} <affects> "
        "{mediator}[, which then|, which in turn|, and that this] <affects> {response}. [does that chain hold|is "
        "that how it works|how much goes that way|how strong is that path|is there also a direct effect] {in_file}?",
    ),
    _family(
        "via-first",
        "[via|through|by way of] {mediator}, [how much|how strongly|to what extent] does {treatment} <affect> "
        "{response}[, and how much directly|, and what remains as direct effect||] {in_file}?",
    ),
    _family(
        "does-explain",
        "does {mediator} [explain why|account for why|lie behind the fact that|tell us why|explain how] {treatment} "
        "<affects> {response} {in_file}?",
    ),
    _family(
        "directly-or",
        "does {treatment} <affect> {response} directly, or [only through|rather through|is it all due to|mostly via|"
        "does it go through] {mediator} {in_file}?",
    ),
    _family(
        "blocked",
        "[if {mediator} were held where it is|if {mediator} could not move|with {mediator} kept still], would "
        "{treatment} still [change|touch|influence] {response} {in_file}[?|, and how much is lost?]",
        "held_out",
    ),
    _family(
        "in-between",
        "[what happens in between {treatment} and {response}: is it {mediator}|between {treatment} and {response}, "
        "does {mediator} [sit|come|stand] in the middle|is {mediator} what lies on the road from {treatment} to "
        "{response}] {in_file}?",
        "held_out",
    ),
    _family(
        "two-routes",
        "[two routes lead from|there may be two ways from|count the routes from] {treatment} to {response}, [one by|"
        "one of them over|one passing] {mediator}. [how much takes each|how large is each|weigh them] {in_file}[?|.]",
        "held_out",
    ),
    _family(
        "owe",
        "[how much does the result of {treatment} for {response} owe to|what does {treatment} contribute to "
        "{response} by virtue of|which share of what {treatment} does for {response} is the work of] {mediator} "
        "{in_file}?",
        "held_out",
    ),
    _family(
        "transmit",
        "does {mediator} [transmit|hand on|relay|convey] [what|the changes that] {treatment} does to {response} "
        "{in_file}?",
        "held_out",
    ),
)
