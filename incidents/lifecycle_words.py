"""The words of the lifecycle in English and Chinese: states, acts, and the reasons that acts take."""

from __future__ import annotations

from collections.abc import Mapping

from core.identity import Role

Words = tuple[str, str]
"""English and Chinese."""

STATUS_WORDS: Mapping[str, Words] = {
    "reported": ("reported", "已上报"),
    "filed": ("filed", "已立案"),
    "dispatched": ("dispatched", "已派遣"),
    "handling": ("in work", "处置中"),
    "checking": ("being checked", "核查中"),
    "closed": ("closed", "已结案"),
    "void": ("void", "已作废"),
}
ACT_WORDS: Mapping[str, Words] = {
    "report": ("Report", "上报"),
    "file": ("File", "立案"),
    "dispatch": ("Send to the unit", "派遣到单位"),
    "assign": ("Assign", "派遣到人"),
    "reassign": ("Assign anew", "改派"),
    "accept": ("Accept", "接受任务"),
    "start": ("Start", "开始处置"),
    "finish": ("Finish", "完成处置"),
    "return": ("Return", "退回"),
    "rework": ("Send back for rework", "退回返工"),
    "close": ("Close the incident", "结案"),
    "void": ("Void", "作废"),
    "ask_extension": ("Ask for more time", "申请延期"),
    "grant_extension": ("Grant more time", "批准延期"),
    "refuse_extension": ("Refuse more time", "驳回延期"),
    "postpone": ("Postpone", "缓办"),
    "resume": ("Resume now", "恢复办理"),
    "urge": ("Urge", "督办"),
    "reopen": ("Reopen", "重新打开"),
    "join": ("Call in others", "联合处置"),
    "take_back": ("Take back who was called in", "撤回协办"),
    "finish_part": ("Finish the part", "完成协办"),
    "return_part": ("Return the part", "退回协办"),
    "ask_verify": ("Ask for a look on site", "派现场核实"),
    "verify": ("Verified on site", "完成核实"),
    "ask_check": ("Ask for a check on site", "派现场核查"),
    "check": ("Checked on site", "完成核查"),
    "self_handle": ("Handled on the spot", "自行处置"),
    "sample": ("Confirm by sampling", "抽查通过"),
}
DONE_WORDS: Mapping[str, Words] = {
    "report": ("reported it", "上报"),
    "file": ("filed it", "立案"),
    "dispatch": ("sent it to the unit", "派遣到单位"),
    "assign": ("assigned it", "派遣到人"),
    "reassign": ("assigned it anew", "改派"),
    "accept": ("accepted it", "接受任务"),
    "start": ("started on it", "开始处置"),
    "finish": ("finished it", "完成处置"),
    "return": ("returned it", "退回"),
    "rework": ("sent it back for rework", "退回返工"),
    "close": ("closed it", "结案"),
    "void": ("made it void", "作废"),
    "ask_extension": ("asked for more time", "申请延期"),
    "grant_extension": ("granted more time", "批准延期"),
    "refuse_extension": ("refused more time", "驳回延期"),
    "postpone": ("postponed it", "缓办"),
    "resume": ("resumed it", "恢复办理"),
    "urge": ("urged it", "督办"),
    "reopen": ("reopened it", "重新打开"),
    "join": ("called in others", "联合处置"),
    "take_back": ("took back who was called in", "撤回协办"),
    "finish_part": ("finished a part", "完成协办"),
    "return_part": ("returned a part", "退回协办"),
    "ask_verify": ("asked for a look on site", "派现场核实"),
    "verify": ("verified it on site", "完成核实"),
    "ask_check": ("asked for a check on site", "派现场核查"),
    "check": ("checked it on site", "完成核查"),
    "self_handle": ("handled it on the spot", "自行处置"),
    "sample": ("confirmed it by sampling", "抽查通过"),
}
_RETURN: Mapping[str, Words] = {
    "wrong_department": ("Not the work of this unit", "不属本单位职责"),
    "wrong_place": ("The place is wrong", "地点有误"),
    "needs_others": ("Other units are needed too", "需其他单位配合"),
    "not_safe": ("Not safe to do alone", "单人处置不安全"),
}
HAND_OVER_REASONS: Mapping[str, Words] = {
    "shift_ends": ("My shift ends", "本班次即将结束"),
    "called_away": ("Called to something more urgent", "被派往更紧急的任务"),
}
"""Why a worker hands over what he would have done; unlike other returns it keeps him off nothing."""
REASONS: Mapping[str, Mapping[str, Words]] = {
    "return": {**_RETURN, **HAND_OVER_REASONS},
    "return_part": {**_RETURN, **HAND_OVER_REASONS},
    "take_back": {
        "not_needed": ("Not needed after all", "已不需要协办"),
        "elsewhere": ("Needed more elsewhere", "另有更紧急任务"),
        "cannot_come": ("Cannot come", "无法到场"),
        "by_mistake": ("Called in by mistake", "误派"),
    },
    "rework": {
        "not_solved": ("Not solved", "问题未解决"),
        "partly_solved": ("Only partly solved", "只解决了一部分"),
        "came_back": ("It came back at once", "问题随即复发"),
    },
    "void": {
        "not_found": ("Nothing was found there", "现场未发现"),
        "duplicate": ("Reported already", "重复上报"),
        "not_ours": ("Not a matter of the city", "不属城市管理事项"),
        "trial": ("Only a trial", "测试数据"),
    },
    "ask_extension": {
        "parts": ("Parts or material lack", "缺少材料或配件"),
        "weather": ("Weather", "天气原因"),
        "others_first": ("Others must finish first", "须待其他单位先完成"),
        "larger": ("The work is larger than it looked", "工程量超出预计"),
    },
    "refuse_extension": {
        "can_be_done": ("It can be done in time", "可以按期完成"),
        "not_shown": ("The reason is not shown", "理由不充分"),
        "danger": ("It cannot wait", "情况紧急不宜延期"),
    },
    "postpone": {
        "season": ("Only possible in another season", "受季节限制"),
        "planned_works": ("Part of planned works", "已列入工程计划"),
        "law": ("A legal procedure runs", "正在履行法律程序"),
        "budget": ("Money is not granted yet", "经费尚未落实"),
    },
    "urge": {
        "citizen": ("The citizen asks again", "市民催办"),
        "superior": ("A superior office asks", "上级催办"),
        "late": ("It is late", "已超时限"),
        "growing": ("The danger grows", "险情加重"),
    },
    "reopen": {
        "citizen": ("The citizen says it is not solved", "市民反映未解决"),
        "came_back": ("It came back at once", "问题随即复发"),
        "sampling": ("A sample found it not solved", "抽查发现未解决"),
    },
    "verify": {
        "found": ("Found as reported", "情况属实"),
        "not_found": ("Nothing was found there", "现场未发现"),
        "elsewhere": ("Found, but at another place", "情况属实，地点不符"),
    },
    "check": {
        "solved": ("Solved", "问题已解决"),
        "partly_solved": ("Only partly solved", "只解决了一部分"),
        "not_solved": ("Not solved", "问题未解决"),
    },
}
"""Why, for acts that need a reason; keys, so that the record never holds free text about persons."""
CHOICE_REASONS: Mapping[str, Words] = {
    "proposed": ("As proposed", "按系统建议"),
    "knows_place": ("Knows the place", "熟悉现场"),
    "skill": ("Has the skill", "具备技能"),
    "workload": ("Has less to do", "任务较少"),
    "other": ("Other reason", "其他原因"),
}
"""Why this worker, for assign and reassign; may be left out."""
ROLE_WORDS: Mapping[Role, Words] = {
    Role.GRID_WORKER: ("grid worker", "网格员"),
    Role.GRID_MANAGER: ("grid manager", "网格长"),
    Role.HANDLER: ("department handler", "处置人员"),
    Role.DISPATCHER: ("dispatcher", "派遣员"),
    Role.SUPERVISOR: ("supervisor", "监督员"),
    Role.PLANNER: ("planner", "规划师"),
    Role.AUDITOR: ("auditor", "审计员"),
    Role.ADMINISTRATOR: ("administrator", "系统管理员"),
    Role.SYSTEM: ("system", "系统"),
}
