"""Sentences of alerts that are no diagnosis: cleared ones, and the flags of a machine."""

from vtox.sentences.sentence import Sentence

_ENDED = "无需处理：报警已结束；若再次出现，请查看所保存的波形。"
_NO_WINDOWS = "检查发送端、传感器电源和网络；电机若已停用，请将其退役。"
_CLOCK = "让发送端用 NTP 校时，t0 以 1970 年起的 UTC 秒数发送。"

SENTENCES: dict[str, Sentence] = {
    "nothing_found": Sentence("连续 {records} 个记录未发现异常", _ENDED),
    "nothing_found_in_slots": Sentence("连续 {slots} 个 {slot_s:g} s 时段未发现异常", _ENDED),
    "below_sensitivity": Sentence(
        "连续 {slots} 个记录或时段中，没有达到本机报警条件（严重程度 {severity:.0%}、"
        "置信度 {confidence:.0%}）的发现",
        "查看各项诊断：低于本机灵敏度的故障不会报警。",
    ),
    "machine_retired": Sentence(
        "电机已退役",
        "无需处理：退役操作已结束其全部报警；若再次发送数据，则作为新电机。",
    ),
    "machine_forgotten": Sentence(
        "电机长期没有数据，也没有铭牌",
        "若已停用则无需处理；再次发送数据时作为新电机。如需保留，请登记铭牌。",
    ),
    "machine_silent": Sentence("没有收到窗口", _NO_WINDOWS),
    "silence_duration": Sentence("报警时已 {silence_s:.0f} s 未收到窗口", _NO_WINDOWS),
    "sender_departed": Sentence("发送端已与消息代理断开", _NO_WINDOWS),
    "windows_arrive": Sentence("又收到窗口", "无需处理：电机已恢复发送。"),
    "clock_off": Sentence("发送端的时钟不准", _CLOCK),
    "clock_offset": Sentence("t0 与到达时间相差 {offset_s:+.0f} s", _CLOCK),
    "clock_right": Sentence("发送端的时钟已恢复正常", "无需处理：结果的时间正确。"),
    "no_machine_of_site_sends": Sentence(
        "本站点没有电机在发送：全部 {machines} 台无数据",
        "先检查它们的共同之处：站点的电源、网关和网络，再检查各发送端。恢复发送之前，此前的发现无人监视。",
    ),
    "machines_of_site_silent": Sentence(
        "本站点 {of_machines} 台电机中有 {machines} 台停止发送，{silent} 台仍无数据",
        "先检查它们的共同之处：站点的电源、网关和网络，再检查各发送端。",
    ),
    "machines_of_supply_move_together": Sentence(
        "{supply} 的 {of_machines} 台电机中有 {machines} 台在 {within_s:g} 秒内发出此报警",
        "先检查共同的部分：电源电压（缺相、不平衡、扰动）、采集设备的供电和网络；再逐台检查。自身有故障的电机可以取消合并。",
    ),
}
