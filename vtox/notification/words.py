"""Words of messages to people, in each language; machines read the fields of a message instead."""

from collections.abc import Mapping

from vtox.words.languages import Language

EVENTS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "raised": "raised",
        "escalated": "worse",
        "cleared": "cleared",
        "suppressed": "suppressed by design",
        "unsuppressed": "not suppressed any more",
        "acknowledged": "acknowledged",
        "commented": "comment",
        "shelved": "shelved",
        "unshelved": "not shelved any more",
        "closed": "closed",
        "ordered": "work order",
        "assigned": "assigned",
        "out_of_service": "out of service",
        "in_service": "back in service",
    },
    "zh": {
        "raised": "报警",
        "escalated": "加重",
        "cleared": "已恢复",
        "suppressed": "按设计抑制",
        "unsuppressed": "不再抑制",
        "acknowledged": "已确认",
        "commented": "备注",
        "shelved": "已搁置",
        "unshelved": "取消搁置",
        "closed": "已关闭",
        "ordered": "工单",
        "assigned": "已指派",
        "out_of_service": "停用",
        "in_service": "恢复运行",
    },
}
OTHERS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "system": "VTOX",
        "what_to_do": "What to do: {advice}",
        "by": "By {by}.",
        "closed_as": "Closed as {outcome} by {by}.",
        "order": "Work order {reference} of {system}, by {by}.",
        "assigned_to": "Assigned to {assignee} by {by}.",
        "assigned_to_nobody": "Assigned to nobody by {by}.",
        "digest": "{count} events of alarms",
        "left_out": "and {count} more",
        "test": "Test of the notification",
        "test_text": "A test of VTOX: nothing has happened.",
    },
    "zh": {
        "system": "VTOX",
        "what_to_do": "处理建议：{advice}",
        "by": "操作人：{by}。",
        "closed_as": "{by} 已关闭，结论：{outcome}。",
        "order": "{system} 的工单 {reference}，操作人：{by}。",
        "assigned_to": "已指派给 {assignee}，操作人：{by}。",
        "assigned_to_nobody": "已取消指派，操作人：{by}。",
        "digest": "报警事件共 {count} 条",
        "left_out": "另有 {count} 条",
        "test": "通知测试",
        "test_text": "VTOX 测试消息：没有发生任何事件。",
    },
}
