"""Words that many phrasing families share."""

RULES: dict[str, str] = {
    "affect": (
        "[affect|influence|impact|change|shape|alter|drive|move|shift|have an effect on|have any effect on|"
        "have an impact on|have a say in|make a difference to|make a difference for|matter for|play a part in|"
        "have a bearing on|act on|feed into|lead to changes in|lead to a different|bring about changes in]"
    ),
    "affects": (
        "[affects|influences|impacts|changes|shapes|alters|drives|moves|shifts|has an effect on|matters for|"
        "plays a part in|makes a difference to|has a bearing on|acts on|feeds into|leads to changes in]"
    ),
    "raise": (
        "[raise|increase|boost|lift|push up|lower|reduce|cut|bring down|improve|worsen|help|hurt|help to improve|"
        "do anything for]"
    ),
    "effect": (
        "[effect|causal effect|impact|influence|causal impact|causal influence|overall effect|average effect|"
        "average causal effect|net effect|average impact]"
    ),
    "how_much": "[how much|by how much|to what extent|how strongly|to what degree|how far]",
    "know": "[know|find out|learn|understand|see|figure out|work out|establish|get a feel for|pin down|be sure about]",
    "measure": "[estimate|measure|quantify|calculate|compute|assess|determine|evaluate|gauge|size up|put a number on]",
    "tell": "[tell me|let me know|work out|find out|show me|report|say|check|explain to me|give me an idea of]",
    "want": (
        "[I want to|I'd like to|I would like to|I need to|we want to|we would like to|we need to|I am trying to|"
        "my task is to|our aim is to|I have been asked to|my boss wants me to|I'm hoping to|help me|help us]"
    ),
    "wonder": (
        "[I wonder|I am wondering|I'm curious|we keep asking ourselves|I keep asking myself|someone asked me|"
        "my colleagues and I discussed|I can't tell|nobody here knows|the team is unsure|I have no idea|"
        "we never found out|it is unclear to me|I'd love to know]"
    ),
    "can_you": (
        "[can you|could you|would you|could you please|can you please|would you be able to|are you able to|"
        "is it possible to|would you mind trying to]"
    ),
    "please": "[please |kindly |]",
    "really": "[really |actually |in fact |truly |at all ||||]",
    "changing": (
        "[changing|altering|adjusting|varying|switching|intervening on|setting differently|acting on|modifying]"
    ),
    "data": "[the data|this data|our data|the file|this table|the records|the sample|these observations]",
    "all_columns": (
        "[all the variables|every column|all columns|everything we recorded|all the measurements|all the factors|"
        "the variables in the file|the whole set of variables]"
    ),
    "through": (
        "[through|via|by way of|by means of|by changing|by acting on|because it changes|by first moving|"
        "indirectly through|thanks to its effect on|working through]"
    ),
    "between_step": (
        "[mediator|middle step|go-between|intermediate step|link in the chain|channel|pathway|mechanism|intermediary]"
    ),
    "best": (
        "[get the highest|maximise|maximize|achieve the best|get the best|raise|improve|get the most out of|push up|"
        "increase|do best in terms of|obtain the largest|end up with the highest]"
    ),
    "option": "[option|choice|level|setting|value|alternative|version]",
}
