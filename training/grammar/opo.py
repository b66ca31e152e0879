"""Families that ask which action to take, for a unit described by {one} or {facts}, or in general (no condition)."""

from training.grammar.engine import Family, Split


def _family(name: str, template: str, split: Split = "train") -> Family:
    return Family(f"opo-{name}", "OPO", split, template)


OPO_FAMILIES = (
    _family(
        "which-for-one",
        "which <option> of {treatment} should [we|I|one] [choose|pick|use|take|go for|select] for {one} to <best> "
        "{response} {in_file}?",
    ),
    _family(
        "what-should",
        "what {treatment} should [we|I] [choose|pick|recommend|give|set|apply|go with] for {one} [if we want to|in "
        "order to|so as to|to] <best> {response} {in_file}?",
    ),
    _family(
        "facts-first",
        "[{facts}|suppose {facts}|say {facts}|the case: {facts}|given that {facts}][.|,] which <option> of "
        "{treatment} [is best for|gives the best|leads to the highest|would <best>] {response} {in_file}?",
    ),
    _family(
        "one-first",
        "[I have|we have|imagine|there is|we are dealing with|in front of me is] {one}. [which|what] <option> of "
        "{treatment} [is best|would be best|should we take|do you advise|is the right one] to <best> {response} "
        "{in_file}?",
    ),
    _family(
        "recommend",
        "<please>[recommend|suggest|advise on|choose|pick|propose|find] the [best|optimal|right|most suitable] "
        "<option> of {treatment} for {one} [to|so that we] <best> {response} {in_file}.",
    ),
    _family(
        "optimal",
        "what is the [optimal|best|ideal|most favourable|right] [choice|level|setting|action] for {treatment} [when "
        "{facts}|if {facts}|for {one}] with {response} [as the goal|as the target|in mind|to be maximised|as what "
        "counts] {in_file}?",
    ),
    _family(
        "how-set",
        "how should [we|I|one] [set|choose|handle|decide on|fix|select] {treatment} for {one} to <best> {response} "
        "{in_file}?",
    ),
    _family(
        "best-action",
        "[what is the best action|what is the best decision|what would you do|what is the smart move|which action "
        "is best] on {treatment} for {one}, [if|given that|as|since] [we care about|the aim is a high|the goal is "
        "the best|what matters is] {response} {in_file}?",
    ),
    _family(
        "want-decide",
        "<want> [decide|choose|settle] [which <option> of {treatment}|on {treatment}|what to do about {treatment}] "
        "for {one} so that [we|I] <best> {response} {in_file}.",
    ),
    _family(
        "policy",
        "[what policy|which rule|what strategy|which plan] for {treatment} would <best> {response} [for|in the case "
        "of|when it comes to] {one} {in_file}?",
    ),
    _family(
        "terse",
        "[best {treatment} for {one}, goal {response}|optimal {treatment} if {facts}; target {response}|{one}: "
        "which {treatment} for the highest {response}|choose {treatment} to maximise {response}, {facts}|"
        "recommended {treatment} given {facts} (maximise {response})|best action on {treatment} when {facts}, "
        "judged by {response}] {in_file}[?|.|]",
    ),
    _family(
        "can-you",
        "<can_you> [recommend|tell me|work out|advise|suggest|say] [which <option> of {treatment}|what kind of "
        "{treatment}] to [use|choose|give|take] for {one} to <best> {response} {in_file}?",
    ),
    _family(
        "should-we-change",
        "[to <best> {response}|with the aim to <best> {response}|in order to <best> {response}], which <option> of "
        "{treatment} [should {one} get|is right for {one}|fits {one}|would you give {one}|suits {one}] {in_file}?",
    ),
    _family(
        "goal-first",
        "[our goal is the best|we aim for a high|I want the highest possible|we are after a better|what counts is] "
        "{response}. [what should we do about|which way should we go on|how do we set|what should be our choice of] "
        "{treatment} for {one} {in_file}?",
    ),
    _family(
        "best-off",
        "for {one}, [which <option> of {treatment} works best for|which <option> of {treatment} gives the highest|"
        "what {treatment} leads to the best|under which <option> of {treatment} do we get the best] {response} "
        "{in_file}?",
    ),
    _family(
        "general",
        "[overall,|in general,|for all {units},|across the board,|] which <option> of {treatment} should we [choose|"
        "adopt|roll out|use|offer] to <best> {response} {in_file}?",
    ),
    _family(
        "stuck",
        "[I am torn over|we can't decide on|I'm unsure about|we are stuck on|I need to settle] {treatment} for "
        "{one}. [which <option> is best for|what would give the best|which <option> should I pick for a high|which "
        "one do you advise to raise] {response} {in_file}?",
    ),
    _family(
        "assign",
        "[which <option> of {treatment} would you assign to|where on {treatment} would you put|what {treatment} "
        "would you prescribe for] {one}, [judged by|with an eye on|so as not to waste any] {response} {in_file}?",
        "held_out",
    ),
    _family(
        "tailor",
        "[tailor|fit|match|personalise] {treatment} to {one} [such that|in a way that] {response} [comes out as "
        "high as possible|is at its best|turns out best] {in_file}.",
        "held_out",
    ),
    _family(
        "if-you-were",
        "[if it were up to you|in our place|if you had to decide], [what {treatment} would {one} receive|how would "
        "you go about {treatment} for {one}], [bearing in mind that {response} should be high|wishing for the best "
        "{response}] {in_file}?",
        "held_out",
    ),
    _family(
        "winner",
        "[among the possible values of {treatment}, which one wins|which <option> of {treatment} comes out on top|"
        "name the <option> of {treatment} that wins] on {response} [when|where|once] {facts} {in_file}[?|.]",
        "held_out",
    ),
    _family(
        "next-step",
        "[what is our next step on|where should we go with|what do we do on] {treatment} [once {one} arrives|when "
        "we meet {one}|as soon as {one} turns up], [hoping for a high|with top marks for] {response} {in_file}?",
        "held_out",
    ),
)
