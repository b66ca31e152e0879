"""Families that the causal tools cannot answer: description, association, prediction, plots, talk, fragments."""

from training.grammar.engine import Family, Split


def _family(name: str, template: str, split: Split = "train") -> Family:
    return Family(f"none-{name}", "NONE", split, template)


NONE_FAMILIES = (
    _family(
        "mean",
        "what is the [mean|average|median|typical|highest|lowest|maximum|minimum|middle] [value of|level of|] {a} "
        "[in {file}|for all {units}|across {units}|by {b}|]?",
    ),
    _family(
        "spread",
        "[how spread out is|what is the standard deviation of|what is the variance of|give me the range of|show the "
        "quartiles of|summarise] {a} [in {file}|by {b}|among {units}|][?|.]",
    ),
    _family(
        "count",
        "how many {units} [are there|do we have|are in {file}|have a value for {a}|have missing {a}|have {a} above "
        "the average|were recorded|fall in each level of {b}][ in total|]?",
    ),
    _family(
        "correlate",
        "[are|is there any] {a} and {b} [correlated|associated|related statistically] {in_file}, [just|purely] [as "
        "a correlation|as an association|descriptively]?",
    ),
    _family(
        "correlation-value",
        "[compute|calculate|what is|report|give me] the [correlation|correlation coefficient|rank correlation|"
        "covariance] [between|of] {a} and {b} {in_file}[?|.]",
    ),
    _family(
        "plot",
        "<please>[plot|draw|make|show|create] a [histogram|bar chart|scatter plot|box plot|line chart|pie chart|"
        "density plot] of {a} [against {b}|by {b}|over time|for all {units}|] {in_file}.",
    ),
    _family(
        "predict",
        "[predict|forecast|can you predict|could you forecast|build a model that predicts|train a classifier for|"
        "what will be] {a} [for next year|from {b}|for the coming month|of a new {unit}|for the remaining rows] "
        "{in_file}[?|.]",
    ),
    _family(
        "define",
        "what [does|do you mean by|is meant by|exactly is|is the unit of|is the definition of] {a}[ mean| stand for|"
        " in this file|]?",
    ),
    _family(
        "clean",
        "<please>[remove duplicates from|drop missing values in|fill the gaps in|rename|convert|standardise|round|"
        "delete|recode] {a} [in {file}|and save the table|before we go on|and {b}|].",
    ),
    _family(
        "sort",
        "<please>[sort|order|filter|group|rank] the {units} by {a} [and then by {b}|in descending order|and show "
        "the top ten|and export the list|] {in_file}.",
    ),
    _family(
        "list-columns",
        "[what columns are in {file}|which variables does {file} have|list the columns of {file}|describe the "
        "contents of {file}|how many rows are in {file}|what is the size of {file}|who made {file}|when was {file} "
        "created|is {file} complete][ please| for me||]?",
    ),
    _family(
        "chat",
        "[hi|hello|hey|good morning|good day][, how are you|, who are you|, what can you do|, are you a person|, "
        "tell me a joke|, how is the weather|, what time is it|, do you like {topic}|, what can you tell me about "
        "{topic}][?|]",
    ),
    _family(
        "thanks",
        "[thanks|thank you|great|perfect|wonderful|okay then|super], [that was helpful|see you tomorrow|I will come "
        "back later|no more questions|this helps with {topic}|I'll look at {a} another time|good work on {a}|let us "
        "stop here].",
    ),
    _family(
        "advice-chat",
        "[what is a good book about|where can I read about|what do people say about|write a poem about|translate "
        "into French:|who invented|what is the history of|tell me a story about|what is the news on] [{topic}|{a}|"
        "{a} and {b}|{units}][?|.]",
    ),
    _family(
        "unfinished-cause",
        "what [is the effect of|does changing|happens after we change|are the consequences of] {a}[?| on it?| on "
        "things?| in general?| on everything else out there?]",
    ),
    _family(
        "unfinished-outcome",
        "[how can we improve things|what works|why is it like this|what should we do|is it good or bad|what is "
        "going wrong|why did this happen|what is the cause] [with our {units}|in {topic}|these days|this year|"
        "around here|][?|??]",
    ),
    _family(
        "compare-groups",
        "[how does the average {a} differ between|list {a} for|tabulate {a} by|cross-tabulate {a} with|show a table "
        "of {a} for each level of] {b} {in_file}, [description only|no causes needed|just the figures|simply as "
        "counts].",
    ),
    _family(
        "method",
        "[what is|explain|how does one use|what is the idea of|which package has] [a t-test|linear regression|"
        "propensity score matching|a DAG|a random forest|a confidence interval|cross-validation|the back-door "
        "criterion|mediation analysis|bootstrap] [in simple words|in two sentences|for a beginner|with an example "
        "from {topic}|][?|.]",
    ),
    _family(
        "file-work",
        "[open|load|delete|rename|upload|share|convert to Excel|email me|print|back up|merge] {file} [please|for me|"
        "now|and close it|with last year's table|].",
    ),
    _family(
        "quality",
        "[are there outliers in|how much is missing in|is there anything odd in|how was {b} recorded next to|what "
        "is the data type of|are the units right for] {a} {in_file}?",
        "held_out",
    ),
    _family(
        "trend",
        "[has {a} [gone up|gone down|stayed flat|changed over the years|risen|fallen]|did {a} [go up|go down|stay "
        "flat|rise|fall]] [over time|since records began|month by month|lately|] {in_file}[?|, as a plain trend?]",
        "held_out",
    ),
    _family(
        "share",
        "what [percentage|share|proportion] of {units} [has {a} above the median|has a value of {a}|lies in the top "
        "tenth of {a}|lacks {a}] {in_file}?",
        "held_out",
    ),
    _family(
        "small-talk",
        "[I am tired of {topic} today|my cat walked over the keyboard|do you ever sleep|can we talk about {topic} "
        "instead|you sound clever|what is your favourite {unit}|I had a long day with {units}|remind me to call my "
        "mother][.|!|?|, haha]",
        "held_out",
    ),
    _family(
        "code-help",
        "[write python code to|write an SQL query to|give me an Excel formula to|how do I write R code to] [read "
        "{file}|average {a}|join two tables on {a}|count {units}|export {a} and {b}][?|.]",
        "held_out",
    ),
)
