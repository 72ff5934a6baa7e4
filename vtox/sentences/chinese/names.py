"""Chinese names of faults, states and outcomes, for every reader alike."""

FAULTS: dict[str, str] = {
    "turn_short": "匝间短路",
    "insulation": "对地绝缘",
    "bearing": "轴承",
    "eccentricity": "气隙偏心",
    "broken_bar": "转子断条",
    # Flags of a machine.
    "silent": "无数据",
    "clock": "时钟",
    # Conditions of the system.
    "backlog": "积压",
    "orphans": "窗口未归入记录",
    "workers": "无工作进程",
    "stalled": "队列停滞",
    "dead_letters": "死信",
    "memory": "内存",
    "clocks": "时钟偏差",
    "stream_ids": "流条目 ID 超前",
    "recorder": "历史未记录",
    "notifier": "报警通知受阻",
    "process": "进程无法启动",
    "deleted_windows": "窗口被删除",
}
STATES: dict[str, str] = {
    "normal": "正常",
    "warning": "预警",
    "fault": "故障",
    "unknown": "未知",
}
OUTCOMES: dict[str, str] = {
    "confirmed": "已证实",
    "false_alarm": "误报",
    "other_cause": "其他原因",
    "not_inspected": "未检查",
}
