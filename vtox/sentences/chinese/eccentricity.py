"""Sentences of the reasons of `eccentricity`."""

from vtox.sentences.sentence import Sentence

_CHANGE = "转频处的调制比本负载下的基线变化 {change_db:+z.1f} dB"

SENTENCES: dict[str, Sentence] = {
    "two_pole_lines_merge": Sentence(
        "两极电机：转差率 {slip:.2%} 时，转频边带与 0 Hz 及两倍电源频率重合，"
        "需要 {needed_s:.0f} s 的记录才能分开",
        "连续发送更长的记录，或在更高负载下测量。",
    ),
    "baseline_too_scattered": Sentence(
        "基线样本太少或太分散：本负载下的 {records} 个记录留下 {open_db:.0f} dB 的不确定范围，"
        "最多允许 {limit_db:g} dB",
        "在该负载稳定时用更多记录学习基线。",
    ),
    "rotation_sidebands_in_voltage": Sentence(
        "距电源基波 {rotation_hz:.2f} Hz 的谱线上升了 {change_db:z.1f} dB，但电压中也有该谱线："
        "属于电源的间谐波",
        "查明同一电源上由什么产生该谱线；负载变化时它的位置不变。",
    ),
    "line_beside_rotation_sidebands": Sentence(
        "距电源基波 {line_hz:.2f} Hz 的更强谱线掩盖了转频 {rotation_hz:.2f} Hz 处的边带："
        "间谐波或负载引起，或转速略有误差",
        "核对所发送的转速；发送更长的记录，或增加电压通道。",
    ),
    "rotation_sidebands_in_noise": Sentence(
        "{floor_dbc:.0f} dBc 的噪声掩盖了待比较的电平，基线中为 {baseline_dbc:.0f} dBc",
        "在噪声和间谐波较少的电源下测量。",
    ),
    "rotation_sidebands_steady": Sentence(_CHANGE, ""),
    "rotation_sidebands_risen": Sentence(
        f"{_CHANGE}（距电源基波 {{rotation_hz:.2f}} Hz 处为 {{level_dbc:.1f}} dBc）："
        "偏心、不平衡、不对中，或每转波动一次的负载",
        "先检查平衡、对中和负载；然后测量气隙。",
    ),
}
