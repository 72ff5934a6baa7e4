"""Sentences of why a record ended before it had the length that its fault family needs."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "no_window_yet": Sentence("还没有窗口到达", "发送窗口；若没有数据，请将电机退役。"),
    "no_diagnosis_yet": Sentence(
        "还没有记录得到诊断",
        "连续发送窗口，总长达到该故障所需的长度。",
    ),
    "ended_by_missing_window": Sentence(
        "记录提前结束：缺少窗口 {seq}",
        "查明窗口在传感器与数据流之间何处丢失，每个 seq 只发送一次。",
    ),
    "ended_by_gap": Sentence(
        "记录提前结束：一个窗口的终点与下一个窗口的起点相隔 {gap_s:.2f} s",
        "连续发送窗口：每个窗口的 t0 即上一个窗口的终点。",
    ),
    "ended_by_late_window": Sentence(
        "记录提前结束：其窗口晚于后面的窗口到达",
        "按 seq 的顺序发送窗口，或调大 VTOX_REORDER_WINDOWS。",
    ),
    "ended_by_restart": Sentence(
        "记录提前结束：发送端重新启动",
        "重启后无需处理；经常重启的发送端须延续 seq 的计数。",
    ),
    "ended_by_rebuild": Sentence(
        "记录提前结束：窗口 {seq} 之前的窗口属于桥接进程重启前所建的记录",
        "无需处理：之前的窗口在另一个记录中诊断。",
    ),
    "ended_by_silence": Sentence(
        "记录提前结束：没有后续窗口到达",
        "若电机已关停则无需处理；否则检查发送端及其网络。",
    ),
    "ended_by_rate_change": Sentence(
        "记录提前结束：采样率由 {before_hz:g} 变为 {after_hz:g} Hz",
        "使用同一采样率，或把其他采样率的信号作为另一台电机发送。",
    ),
    "ended_by_channel_change": Sentence(
        "记录提前结束：通道有变化",
        "同一 run 的每个窗口都发送相同的通道。",
    ),
    # A record that an older version dispatched: it kept an English sentence instead of a code.
    "ended_early": Sentence(
        "记录提前结束：{why}",
        "连续并按 seq 的顺序发送窗口。",
    ),
    "ended_by_memory_limit": Sentence(
        "记录提前结束：未完成的记录占用的内存超过上限",
        "为服务器增加内存，减少电机数量，或降低采样率。",
    ),
}
