"""Clauses that stand around the question itself: motive, file, adjustment, distraction, courtesy.

Every pool is parted like the families, so that held-out questions are held out in these words too.
"""

from training.grammar.engine import Split

OPENERS: dict[Split, str] = {
    "train": "[hi|hello|hey there|good morning|quick question|a question|one more thing|okay|right|so|now]",
    "held_out": "[hi all|hello again|next item|moving on|here is what I need|good evening]",
}
CLOSERS: dict[Split, str] = {
    "train": "[thanks|thank you|many thanks|cheers|thanks in advance|no rush|an approximate answer is fine|"
    "please be brief|I need this for a talk]",
    "held_out": "[much obliged|appreciated|whenever you have time|a short answer will do]",
}
FILE_BEFORE: dict[Split, str] = {
    "train": "[using {file},|in {file},|from {file},|based on {file},|with the data in {file},|I have uploaded {file}.|"
    "here is {file}.|take a look at {file}.|open {file}.|given {file},|I have a file called {file}.|"
    "our records are in {file}.|according to {file},|for the table {file},|working from {file},|"
    "we collected {file} last year.|this is about {file}.]",
    "held_out": "[with {file} as the source,|attached you find {file}.|judging by {file},|please load {file}.|"
    "the file to use is {file}.|{file} is what we have.]",
}
FILE_AFTER: dict[Split, str] = {
    "train": "[the data are in {file}.|please use {file}.|use {file} for this.|everything is in {file}.|"
    "I attached {file}.|you will find the data in {file}.|source: {file}.|see {file}.|the file is {file}.|"
    "file: {file}|{file} has the numbers.]",
    "held_out": "[all of it sits in {file}.|work with {file}, please.|data file: {file}.|"
    "the numbers come from {file}.]",
}
IN_FILE: dict[Split, str] = {
    "train": "[in {file}|using {file}|from {file}|based on {file}|according to {file}|in the file {file}|"
    "with {file}|in the data set {file}|in our file {file}|as recorded in {file}]",
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
    "I look after {units} for a living.|last season went badly.|since nobody agrees,]",
    "held_out": "[our funder wants evidence.|a reporter asked us about {topic}.|in order to advise colleagues,|"
    "so that we stop guessing,|I teach a course on {topic}.|things look different from the year before.]",
}
MOTIVE_AFTER: dict[Split, str] = {
    "train": "[we need this to plan ahead.|the answer decides what we do next.|it is for a {topic} project.|"
    "I have to explain it to people outside {topic}.|our {units} deserve a proper answer.|"
    "I would rather not rely on gut feeling.|we may change our policy after this.|this came up at work today.|"
    "my team is waiting for the answer.|it matters for the budget.]",
    "held_out": "[the decision is due soon.|a reviewer asked for it.|guesses will not do here.|"
    "we will share the result with all {units}.]",
}
DISTRACTION: dict[Split, str] = {
    "train": "[the file also holds {other}, which you can leave aside.|"
    "we also record {other}, but that is another story.|"
    "never mind {other} for now.|ignore {other}.|there is {other} as well, not needed here.|"
    "I do not care about {other} today.|{other} is in there too, it is not part of this question.|"
    "last time we looked at {other}; this time it is something else.]",
    "held_out": "[please set {other} aside.|{other} was covered in an earlier report.|"
    "you may see {other} in the table, skip it.]",
}
ADJUST_BEFORE: dict[Split, str] = {
    "train": "[holding {covariates} fixed,|adjusting for {covariates},|controlling for {covariates},|"
    "taking {covariates} into account,|after accounting for {covariates},]",
    "held_out": "[keeping {covariates} constant,|net of {covariates},]",
}
ADJUST_AFTER: dict[Split, str] = {
    "train": "[please adjust for {covariates}.|control for {covariates}.|take {covariates} into account.|"
    "account for {covariates}.|adjust for {covariates}, please.]",
    "held_out": "[treat {covariates} as covariates.|hold {covariates} constant.|correct for {covariates}.]",
}
