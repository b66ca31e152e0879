"""Families that ask for an average effect: one treatment, one response, no subgroup."""

from training.grammar.engine import Family, Split


def _family(name: str, template: str, split: Split = "train") -> Family:
    return Family(f"ate-{name}", "ATE", split, template)


ATE_FAMILIES = (
    _family(
        "how-does",
        "how does {treatment} <really><affect> {response} {in_file}?",
    ),
    _family(
        "does-it",
        "does {treatment} <really>[<affect>|<raise>|<affect>] {response} {in_file}?",
    ),
    _family(
        "what-effect",
        "[what is|what's|what was|how large is|how big is|how strong is] the <effect> of {treatment} [on|upon|for] "
        "{response} {in_file}?",
    ),
    _family(
        "measure",
        "<please><measure> the <effect> [of|that comes from|due to] {treatment} on {response} {in_file}.",
    ),
    _family(
        "want-know-how",
        "<want> <know> [how|whether|if|<how_much>] {treatment} <affects> {response} {in_file}.",
    ),
    _family(
        "if-we-change",
        "[if we changed|if we were to change|suppose we altered|imagine we changed|if I increased|if somebody "
        "adjusted|were we to change|if one intervened on] {treatment}, [what would happen to|how would that change|"
        "would we see a difference in|what should I expect for|how far would it move|what would become of] "
        "{response} {in_file}?",
    ),
    _family(
        "how-much-change",
        "<how_much> does {treatment} <really>[<affect>|change|move|<raise>] {response} {in_file}?",
    ),
    _family(
        "wonder",
        "<wonder> [whether|if|<how_much>|how] {treatment} [<affects>|makes any difference to|does anything for|has "
        "anything to do, causally, with|is behind changes in|is responsible for] {response} {in_file}.",
    ),
    _family(
        "is-it-cause",
        "is {treatment} [a cause of|a driver of|responsible for|a reason for|to blame for|what drives|behind|the "
        "thing that moves] {response} {in_file}[?|, and by how much?|, and how strongly?]",
    ),
    _family(
        "result-of",
        "[how does|does] {response} [change|respond|react|shift|go up or down|improve or worsen] [as a result of|in "
        "response to|because of|when we act on|due to|as a consequence of] {treatment} {in_file}?",
    ),
    _family(
        "can-you",
        "<can_you> [<tell>|<measure>|<measure>] [how|whether|<how_much>] {treatment} <affects> {response} {in_file}?",
    ),
    _family(
        "terse",
        "[effect of {treatment} on {response}|{treatment} -> {response}|impact: {treatment} on {response}|average "
        "effect, {treatment} on {response}|ATE of {treatment} on {response}] {in_file}[?|.|]",
    ),
    _family(
        "changing-it",
        "[would|does|will|could] <changing> {treatment} [<affect>|<raise>|lead to a change in|result in a "
        "different] {response} {in_file}?",
    ),
    _family(
        "difference",
        "what [difference|change] does {treatment} make [to|for|when it comes to|as far as we look at] {response} "
        "{in_file}[?|, on average?|, all in all?|, overall?]",
    ),
    _family(
        "claim-check",
        "[people say|some claim|I read|my colleagues insist|the vendor says|it is said|I suspect|my hunch is] that "
        "{treatment} <affects> {response}. [is that true|does it hold|is there any evidence|can you confirm it|what "
        "can <data> tell us|how large is that effect] {in_file}?",
    ),
    _family(
        "worth-it",
        "is it worth <changing> {treatment} [with regard to|if we care about|for the sake of|when the goal is] "
        "{response} {in_file}[?|, or does it do nothing?|, that is, does it have an effect?]",
    ),
    _family(
        "owed-to",
        "[how much of the change in|what part of the difference in] {response} [can be put down to|is caused by|"
        "comes from|is due to] {treatment} {in_file}?",
    ),
    _family(
        "treat-outcome",
        "[take|use|consider|treat] {treatment} as the [treatment|intervention|cause|exposure] and {response} as the "
        "[outcome|response|result|effect]. [what is the average effect|estimate the effect|how big is the effect|"
        "what do you find] {in_file}?",
    ),
    _family(
        "consequences",
        "what [consequences|repercussions|implications] [does|would] {treatment} have [for|in terms of] {response} "
        "{in_file}?",
        "held_out",
    ),
    _family(
        "pay-off",
        "does {treatment} [pay off|count|show results|leave a mark] [in terms of|when judged by|as regards] "
        "{response} {in_file}?",
        "held_out",
    ),
    _family(
        "had-not",
        "[had {treatment} been different|with another value of {treatment}|without the present {treatment}], [would "
        "{response} have been different|would {response} be the same|what would {response} have been] {in_file}?",
        "held_out",
    ),
    _family(
        "attribute",
        "[to what can we attribute {response}: is it {treatment}|is the movement in {response} the doing of "
        "{treatment}|can {treatment} explain, causally, {response}] {in_file}[?|, and what is the size of it?]",
        "held_out",
    ),
    _family(
        "lever",
        "[is|would] {treatment} [a useful lever for|an effective way to steer|be a way to steer|be of any use for] "
        "{response} {in_file}[?| on average?]",
        "held_out",
    ),
)
