"""The words of explanations, part by part, in the template language of :mod:`training.grammar.engine`.

Numbers, names and levels are slots; no template says more than the result's summary does.
"""

from __future__ import annotations

RULES = {
    "estimated": (
        "[the estimated effect is|the effect is put at|the estimate comes out at|the effect is estimated at]"
    ),
    "onaverage": "[on average|averaged over all units|taken over everyone in the data|overall]",
    "comes": (
        "[This comes from|This rests on|The numbers come from|The figures come from|Behind this stands|The "
        "estimate rests on]"
    ),
    "analysis": "[analysis|estimation|calculation]",
}
INTERVAL = (
    "[with a 95 % interval from {low} to {high}|with a 95 % interval of {low} to {high}|95 % interval {low} to "
    "{high}|and the 95 % interval runs from {low} to {high}|with {low} and {high} as the ends of its 95 % interval]"
)
SHORT_INTERVAL = "95 % interval {low} to {high}"
NO_INTERVAL = "with no interval"
MOVE_LEVEL = (
    "[setting|switching|moving|changing] {treatment} to {after} [instead of|rather than leaving it at|in place of] "
    "{before}"
)
MOVE_UNIT = (
    "[raising {treatment} by one unit|adding one unit to {treatment}|increasing {treatment} by one unit|one more "
    "unit of {treatment}]"
)
WHERE_ALL = "<onaverage>"
WHERE_ANYONE = "[over all units|for units in general|across all units|for everyone in the data]"
WHERE_SOME = (
    "[where {conditions}|for units with {conditions}|in the rows where {conditions}|among those with {conditions}"
    "|within the group given by {conditions}]"
)
EFFECT = (
    "{move} {verb} {response} {where}: <estimated> {estimate}, {interval}.",
    (
        "[According to the data|In these data|Going by this file], {move} {verb} {response} {where}; <estimated> "
        "{estimate}, {interval}."
    ),
    "{where_first}, {move} {verb} {response}: <estimated> {estimate}, {interval}.",
    "For {response}, the [causal effect|effect] of {move} {where} is estimated at {estimate}, {interval}.",
    (
        "The [causal effect|effect] on {response} of {move} {where} [is put at|comes to|is estimated to be] "
        "{estimate}, {interval}."
    ),
)
CERTAIN = (
    (
        "[That|This] interval [leaves out zero|excludes zero|does not contain zero|lies wholly on one side of "
        "zero], so [there is evidence of an effect|the data speak for an effect|an effect is supported|the sign of "
        "the effect is settled at that level]."
    ),
    (
        "[Since|Because|As] zero [lies outside the interval|is not within the interval], [an effect is supported "
        "by the data|the direction of the effect is clear|having no effect would be hard to square with these "
        "data]."
    ),
    (
        "[Having no effect|An effect of zero] is [not within the interval|outside that interval|not among the "
        "values the interval allows][| , so the direction is clear]."
    ),
)
UNCERTAIN = (
    (
        "[That|This] interval [includes zero|contains zero|spans zero], so [having no effect is not ruled out|no "
        "effect remains possible|the data do not settle whether there is an effect|one cannot say that there is an "
        "effect]."
    ),
    (
        "[Since|Because|As] zero [lies within the interval|is inside the interval], [the direction of the effect "
        "is not settled|there may be no effect at all|the data leave open whether anything changes]."
    ),
    (
        "[Having no effect|An effect of zero] [is still possible|cannot be ruled out|stays within reach], [as"
        "|because] the interval [covers|includes|takes in] zero."
    ),
)
NO_CERTAINTY = ("No interval could be made, so [how sure this is stays open|its precision is not known].",)
CONTRASTS = (
    (
        "[Against|Compared with|Measured against|Relative to] {before}, [the other effects are|the remaining "
        "levels give|the rest come out as] {listed}."
    ),
    (
        "[The other levels|The remaining levels], each [compared with|set against|taken against] {before}, [have "
        "effects of|give|come to] {listed}."
    ),
    "[Other comparisons|Further comparisons] with {before} [give|yield|are] {listed}.",
)
CONTRAST = (
    (
        "[Against|Compared with|Measured against|Relative to] {before}, the [one other|remaining] [level"
        "|comparison] [gives|comes to] {listed}."
    ),
    (
        "The [other|remaining] level, [compared with|set against|taken against] {before}, [has an effect of|gives"
        "|comes to] {listed}."
    ),
    "[The other|A further] comparison with {before} [gives|yields|is] {listed}.",
)
METHOD = (
    "<comes> {method} on {rows} rows of {dataset}, {adjusted}.",
    (
        "[The method behind this|The method behind these numbers|The method used] is {method}, on {rows} rows of "
        "{dataset}, {adjusted}."
    ),
    "[The <analysis>|Here the <analysis>] used {method} on {rows} rows of {dataset}, {adjusted}.",
    (
        "[The <analysis>|Here the <analysis>] [covers|takes in|draws on] {rows} rows of {dataset} and [uses|relies "
        "on|is made with] {method}, {adjusted}."
    ),
    "[For|On|With] {rows} rows of {dataset}, the method [used|run|applied] was {method}, {adjusted}.",
)
ADJUSTED_NAMES = "[after adjusting for|adjusting for|holding fixed|with adjustment for] {names}"
ADJUSTED_ALL = (
    "[adjusting for|after adjusting for|with adjustment for|holding fixed] [every other usable column of the file"
    "|all other usable columns|the file's other usable columns]"
)
ADJUSTED_ASKED = (
    "[adjusting for|after adjusting for|with adjustment for|holding fixed] the [columns that were asked for"
    "|covariates that were named]"
)
ADJUSTED_NOTHING = (
    "[with nothing adjusted for, taking {treatment} as good as randomised|without any adjustment, as if "
    "{treatment} had been randomised]"
)
ADJUSTED_UNSAID = "[as summarised|as reported]"
TOTAL = (
    "In [all|total], {move} changes {response} by {total}, {interval}.",
    "{move} has a total effect of {total} on {response}, {interval}.",
    (
        "The [total|whole|overall] effect of {move} on {response} is [put at|estimated at|estimated to be] "
        "{total}, {interval}."
    ),
    (
        "[Taking all ways together|Over all ways|All pathways together], {move} changes {response} by {total}, "
        "{interval}."
    ),
)
PARTS = (
    (
        "[Through|By way of|Passing through] {mediator}, the indirect effect is {indirect} ({indirect_interval}); "
        "[the direct effect, by other ways,|what remains, the direct effect,|the direct effect, not passing that "
        "way,] is {direct} ({direct_interval})."
    ),
    (
        "[Of this|From that], {indirect} ({indirect_interval}) [goes through|works through|is passed on by|runs by "
        "way of] {mediator}, the indirect effect, and {direct} ({direct_interval}) is [direct|the direct effect"
        "|direct, by other ways]."
    ),
    (
        "[The part that works through|The indirect part, carried by|The indirect effect, passed on by] {mediator}, "
        "[is|comes to] {indirect} ({indirect_interval}), [while the direct part is|and the direct effect is"
        "|against a direct effect of] {direct} ({direct_interval})."
    ),
)
SHARE = (
    "[That makes|This gives] {share} the share [that goes through|carried by|that passes by way of] {mediator}.",
    (
        "The share [of the total|of the whole effect] that [goes through|is carried by|passes through] {mediator} "
        "is {share}."
    ),
    (
        "[As a share|In proportion], {share} of the [total effect|whole] [goes through|is carried by|passes "
        "through] {mediator}."
    ),
)
ACTION = (
    (
        "The [best action|action to take|choice to make] {where} is {treatment} = {action}, [which gives|giving"
        "|with] the highest mean {response}: {value}, {interval}."
    ),
    (
        "{where_first}, [the advice is|the recommendation is|the analysis favours|choose] {treatment} = {action}, "
        "[for|with] the highest mean {response} of {value}, {interval}."
    ),
    (
        "[Choosing|Taking|Going with] {treatment} = {action} {where} [brings|causes|leads to] the highest mean "
        "{response}, {value}, {interval}."
    ),
    (
        "To [raise|maximise|get the most of] {response} {where}, [set|choose|pick] {treatment} = {action}: its "
        "mean is {value}, {interval}."
    ),
)
OTHERS = (
    "[The other actions'|The alternatives'] means are {listed}[|; {gain}].",
    (
        "[By comparison|In comparison|For comparison], [the mean is|one would get|the estimates are] {listed}[|; "
        "{gain}]."
    ),
    "[The rest of the actions|Other actions] [would give|yield|come to] {listed}[|; {gain}].",
)
OTHER = (
    "[The other action's|The alternative's] mean is {listed}[|; {gain}].",
    ("[By comparison|In comparison|For comparison], [the mean is|one would get|the estimate is] {listed}[|; {gain}]."),
    "[The remaining action|The other action] [would give|yields|comes to] {listed}[|; {gain}].",
)
OPEN_GAIN = (
    "[whether the best beats the runner-up is not settled by these data|the data do not settle the gain over the "
    "next best action|the lead over the next best action is not settled]"
)
BEHAVIOUR = (
    (
        "What was [actually |]done in the data gave {behaviour}, and [a larger|a higher|more] {response} [is taken "
        "to be|counts as|is treated as] better."
    ),
    (
        "[The recorded choices|Past choices|The actions as recorded] gave {behaviour}[|, a mean over the same "
        "units], and a larger {response} [counts as|is taken as] better."
    ),
    (
        "[Taking|Counting] a [larger|higher] {response} as better, [the choices in the data|what was done in the "
        "data|past practice] gave {behaviour}."
    ),
)
GRAPH = (
    (
        "{method} [was run on|was applied to|worked on] {rows} rows of {dataset} and [found|returned|learned] a "
        "causal graph [of|with] {count}."
    ),
    "[From|With|On] {rows} rows of {dataset}, {method} [found|learned|returned] a causal graph [of|with] {count}.",
    "The causal graph that {method} learned from {rows} rows of {dataset} has {count}.",
    "[Applied to|Run on] {rows} rows of {dataset}, {method} [gives|yields|finds] {count} in the causal graph.",
)
EDGES = (
    "[In it|There], {listed}.",
    "[It says that|It holds that|Its arrows say that] {listed}.",
    "[Read as causes|Written out|Spelled out|In words|In detail|Edge by edge], {listed}.",
    "[The edges|Its edges|The links] are these: {listed}.",
)
DRIVES = (
    "drives",
    "acts on",
    "causes",
    "directly drives",
    "feeds into",
    "influences",
    "directly affects",
    "→",
)
OPEN_EDGES = (
    "[no direction is settled between|no direction could be given between|the direction stays open between] {pairs}"
)
CLASHING_EDGES = "[the tests clash over the direction between|arrows at both ends join] {pairs}"
SETTLED = (
    "The data settle the direction of {directed} of [them|the edges].",
    "[Direction is settled|The direction is known|Orientation is settled] for {directed} of [them|the edges].",
    "[Of the edges|Among the edges], {directed} [have|come with] a direction that the data settle.",
    "For {directed} of [them|the edges] the data [settle|decide|fix] the direction.",
)
WEIGHTS = (
    (
        "[Each number in brackets|A number in brackets|The number beside an effect] is [the weight of that edge"
        "|the edge's weight|its weight][|, negative where more of the cause means less of the effect]."
    ),
    (
        "[Brackets hold|In brackets stand] the [weights|weights of the edges][|: a minus sign means that the cause "
        "lowers the effect]."
    ),
)
ARROWS = (
    (
        "[Each edge|An edge] [stands for|means] a direct [effect|cause] [among|between] the columns [that were "
        "taken as nodes|in the graph]."
    ),
    (
        "[Edges stand for|The edges stand for|The edges are read as] direct [causation|causal links] [among"
        "|between] the [nodes|columns] of the graph."
    ),
)
NO_EDGES = (
    (
        "[No column|None of the columns] was found to [drive|act on|cause] another, [so the data show no direct "
        "effect among them|so no direct effect among them can be claimed|and no direct effect is claimed among "
        "them] [at all|here]."
    ),
    (
        "[So no|No] direct effect [of one column on another|among the columns] [was found|came to light|showed up] "
        "in [this analysis|these data|the file], and [none is claimed|nothing more can be said]."
    ),
)
