"""The shipped words of danger and their look-alikes, English and Chinese; a territory changes them as data."""

from __future__ import annotations

WORDS = {
    "fire": (
        "fire|on fire|in flames|flames|blaze|burning|burnt down|smoke from|thick smoke|explosion|exploded"
        "|explode|blew up|gas leak|leaking gas|smell of gas|smells of gas|gas smell|smelling gas|gas|collapse"
        "|collapsed|collapsing|caved in|sinkhole|trapped|chemical spill|carbon monoxide|live wire"
        "|power line down|着火|起火|失火|火灾|火情|冒烟|浓烟|大火|火苗|明火|爆炸|燃气泄漏|煤气泄漏|天然气泄漏"
        "|漏气|煤气味|燃气味|瓦斯味|闻到煤气|闻到燃气|坍塌|塌陷|倒塌|塌方|塌了|被困|被埋|危化品|一氧化碳|漏电"
    ),
    "ambulance": (
        "injured|unconscious|bleeding|not breathing|can't breathe|cannot breathe|heart attack|passed out"
        "|collapsed person|electrocuted|poisoned|overdose|drowning|drowned|hurt badly|badly hurt|people hurt"
        "|somebody hurt|someone hurt|受伤|昏迷|晕倒|流血|出血|没有呼吸|没呼吸|无呼吸|停止呼吸|触电|中毒|溺水"
        "|落水|心脏病|伤者|有人倒地|摔伤|砸伤"
    ),
    "police": (
        "knife|gun|gunshot|shooting|stabbed|stabbing|robbery|robbed|attacked|being attacked|fight|fighting"
        "|kidnapped|going to jump|about to jump|in danger|danger to life|life in danger|bomb|child missing"
        "|missing child|road accident|car crash|head-on|持刀|砍人|打架|斗殴|抢劫|劫持|跳楼|轻生|跳桥|有人要跳"
        "|生命危险|人身危险|有危险|炸弹|走失儿童|孩子走失|车祸|交通事故|枪"
    ),
}
"""Service to call, to the phrases that call for it, parted by strokes."""

LOOKALIKES = (
    "fire hydrant|hydrant|fire station|fire engine parked|fire extinguisher|fire exit|fire door|fire lane"
    "|fire escape|fire alarm test|fire drill|fire brigade access|fire sign|fire equipment|firework"
    "|bonfire night|fire pit|fireplace|fire permit|fire safety|fire truck parked|fire box|cross fire"
    "|campfire site|burning question|smoke alarm test|gas station|gas station sign|gas meter|gas bill"
    "|gas company|gas works|gas cover|gas manhole|gas lamp|gas price|gas box|gas marker|natural gas bill"
    "|petrol gas|gas mask shop|gas engineer|water gun|glue gun|nail gun|gun shop sign|speed gun|heat gun"
    "|top gun|knife shop|palette knife|knife sharpener|snow fight|fight against litter|fight for parking"
    "|fire fight training|pillow fight|injured tree|bleeding heart plant|drowning in rubbish|collapsed box"
    "|collapsed tent|collapsible|trapped leaf|trapped leaves|trapped rubbish|trapped litter|消防栓|消火栓"
    "|消防通道|消防车道|消防演练|消防演习|消防设施|消防器材|灭火器|防火门|防火宣传|火锅|烧烤|火车|火车站|火葬"
    "|红火|火爆|大火锅|火灾演练|火灾隐患排查|爆炸式|燃气表|煤气表|燃气公司|燃气井盖|燃气费|煤气费|加油站"
    "|加气站|燃气标识|水枪|枪手奶茶|打枪游戏|胶枪|塌陷式|落水管|落水口|雨水落水|中毒草|流血玫瑰|树木受伤"
)
"""What holds such a word and means no danger."""
