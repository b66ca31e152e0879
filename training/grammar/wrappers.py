"""Clauses that stand around the question itself: motive, file, adjustment, distraction, courtesy.

Every pool is parted like the families, so that held-out questions are held out in these words too.
"""

from training.grammar.engine import Split

OPENERS: dict[Split, str] = {
    "train": "[hi|hello|hey there|good morning|quick question|a question|one more thing|okay|right|so|now|"
    "morning|afternoon|hi team|dear colleagues|hey|excuse me|one question|a quick one|listen|well|alright|"
    "first things first|back again|help wanted|greetings|to whom it may concern|hello there]",
    "held_out": "[hi all|hello again|next item|moving on|here is what I need|good evening]",
}
CLOSERS: dict[Split, str] = {
    "train": "[thanks|thank you|many thanks|cheers|thanks in advance|no rush|an approximate answer is fine|"
    "please be brief|I need this for a talk|"
    "thx|ta|kind regards|best wishes|any help is welcome|that is all|over to you|take your time|let me know|"
    "keep it simple, please|in plain words, please|one paragraph is plenty|I owe you a coffee]",
    "held_out": "[much obliged|appreciated|whenever you have time|a short answer will do]",
}
FILE_BEFORE: dict[Split, str] = {
    "train": "[using {file},|in {file},|from {file},|based on {file},|with the data in {file},|I have uploaded {file}.|"
    "here is {file}.|take a look at {file}.|open {file}.|given {file},|I have a file called {file}.|"
    "our records are in {file}.|according to {file},|for the table {file},|working from {file},|"
    "we collected {file} last year.|this is about {file}.|"
    "{file} is on the shared drive.|you have {file} already.|"
    "everything I know stands in {file}.|on the strength of {file},|"
    "someone mailed me {file}.|read {file} first.|"
    "{file} came in today.|out of {file},]",
    "held_out": "[with {file} as the source,|attached you find {file}.|judging by {file},|please load {file}.|"
    "the file to use is {file}.|{file} is what we have.]",
}
FILE_AFTER: dict[Split, str] = {
    "train": "[the data are in {file}.|please use {file}.|use {file} for this.|everything is in {file}.|"
    "I attached {file}.|you will find the data in {file}.|source: {file}.|see {file}.|the file is {file}.|"
    "file: {file}|{file} has the numbers.|"
    "look into {file}.|find it all in {file}.|"
    "{file} is the table to take.|the rows are in {file}.|"
    "data: {file}|I mean the table {file}.]",
    "held_out": "[all of it sits in {file}.|work with {file}, please.|data file: {file}.|"
    "the numbers come from {file}.]",
}
IN_FILE: dict[Split, str] = {
    "train": "[in {file}|using {file}|from {file}|based on {file}|according to {file}|in the file {file}|"
    "with {file}|in the data set {file}|in our file {file}|as recorded in {file}|"
    "within {file}|out of {file}|"
    "per {file}|as {file} has it|"
    "as of {file}|with what {file} says]",
    "held_out": "[judging from {file}|on the basis of {file}|in the table {file}|going by {file}|"
    "with the help of {file}]",
}
IN_DATA = "[||||in this data|in our data|in the data I uploaded|in this sample|in the file]"
MOTIVE_BEFORE: dict[Split, str] = {
    "train": "[we have to decide on next year's budget.|my manager does not believe the current report.|"
    "we want to do better for our {units}.|I am preparing a {topic} report.|"
    "there is a debate about this in our {topic} team.|the board meets on [monday|tuesday|friday].|"
    "I am new to {topic} and have to present something soon.|we changed a few things this year.|"
    "as someone who works in {topic}, I care about what works.|to plan our next steps,|before we spend more money,|"
    "since resources are tight,|because opinions differ,|for a short memo,|for my thesis,|to settle an argument,|"
    "to make a sensible choice,|ahead of our meeting,|we follow a good number of {units}.|"
    "I look after {units} for a living.|last season went badly.|since nobody agrees,|"
    "two colleagues have a bet on this.|someone from the press office rang.|"
    "for the yearly review,|before I sign anything,|"
    "our {topic} strategy is up for renewal.|my boss wants a number by noon.|"
    "I inherited this table from a colleague who left.|call me sceptical, but|"
    "students in my seminar keep asking.|in preparation of a grant proposal,|"
    "to close a gap in our {topic} handbook,|out of curiosity,|"
    "I once read the opposite in a magazine.|there are {units} by the hundred in here.|"
    "as a newcomer to statistics,|for the sake of our {units},]",
    "held_out": "[our funder wants evidence.|a reporter asked us about {topic}.|in order to advise colleagues,|"
    "so that we stop guessing,|I teach a course on {topic}.|things look different from the year before.]",
}
MOTIVE_AFTER: dict[Split, str] = {
    "train": "[we need this to plan ahead.|the answer decides what we do next.|it is for a {topic} project.|"
    "I have to explain it to people outside {topic}.|our {units} deserve a proper answer.|"
    "I would rather not rely on gut feeling.|we may change our policy after this.|this came up at work today.|"
    "my team is waiting for the answer.|it matters for the budget.|"
    "a committee will read it.|my bonus hangs on it.|"
    "I promised an answer at lunch.|other {topic} people will want to know too.|"
    "we lost an argument over this once.|it goes on a slide.|"
    "no one here has ever checked.|the {units} themselves have asked.]",
    "held_out": "[the decision is due soon.|a reviewer asked for it.|guesses will not do here.|"
    "we will share the result with all {units}.]",
}
DISTRACTION: dict[Split, str] = {
    "train": "[the file also holds {other}, which you can leave aside.|"
    "we also record {other}, but that is another story.|"
    "never mind {other} for now.|ignore {other}.|there is {other} as well, not needed here.|"
    "I do not care about {other} today.|{other} is in there too, it is not part of this question.|"
    "last time we looked at {other}; this time it is something else.|"
    "leave {other} out of it.|{other} plays no part here.|"
    "forget about {other}.|I know that {other} was logged too, but this is not about it.|"
    "somebody added {other} to the table, no idea why.|{other} will be the subject of another mail.|"
    "please do not bring {other} into this.|we argue about {other} some other day.|"
    "what we know of {other} does not concern me now.|{other} also has a column of its own, which is of no interest.|"
    "do not be put off by {other}.|a colleague takes care of {other}.|"
    "yes, {other} was measured, and no, I am not asking about it.|nothing about {other}, please.|"
    "as to {other}, that question is closed.|{other}? That is for later.|"
    "whoever entered {other} did so for other reasons.|you need not look at {other}.|"
    "I am aware of {other}, it can wait.|the part on {other} is already written.|"
    "my predecessor was fond of {other}, I am not.|{other} is only there for bookkeeping.|"
    "drop {other}.|we have nothing to ask about {other}.]",
    "held_out": "[please set {other} aside.|{other} was covered in an earlier report.|"
    "you may see {other} in the table, skip it.]",
}
ADJUST_BEFORE: dict[Split, str] = {
    "train": "[holding {covariates} fixed,|adjusting for {covariates},|controlling for {covariates},|"
    "taking {covariates} into account,|after accounting for {covariates},|"
    "with {covariates} as confounders,|for equal {covariates},|"
    "allowing for {covariates},|comparing like with like in {covariates},|"
    "once {covariates} are accounted for,|other things such as {covariates} being equal,|"
    "given the same {covariates},]",
    "held_out": "[keeping {covariates} constant,|net of {covariates},]",
}
ADJUST_AFTER: dict[Split, str] = {
    "train": "[please adjust for {covariates}.|control for {covariates}.|take {covariates} into account.|"
    "account for {covariates}.|adjust for {covariates}, please.|"
    "mind {covariates} as confounders.|allow for {covariates}, please.|"
    "compare only like with like as to {covariates}.|{covariates} should be controlled for.|"
    "{covariates} may confound this, so adjust.|be sure to include {covariates} as controls.|"
    "rule out {covariates} as an explanation.|put {covariates} in as control variables.]",
    "held_out": "[treat {covariates} as covariates.|hold {covariates} constant.|correct for {covariates}.]",
}
