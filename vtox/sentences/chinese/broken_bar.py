"""Sentences of the reasons of `broken_bar`."""

from vtox.sentences.sentence import Sentence

# Where the sidebands are and how strong.
_LINES = (
    "距电源基波 {distance_hz:.2f} Hz 处有边带，下边带 {lower_sideband_dbc:.1f} dBc，"
    "上边带 {upper_sideband_dbc:.1f} dBc"
)
_SLIP = "转差率 {slip:.2%}（{slip_source!w}）"
_LESS_NOISE = "在更高负载或更稳定的电源下测量，或增加电压通道。"
_MORE_SPEED = "发送 speed_rpm，或在铭牌中填写 rotor_bars。"

SENTENCES: dict[str, Sentence] = {
    # Not searched, or not far enough.
    "supply_not_steady": Sentence(
        "记录内电源频率变化 {range_hz:.2f} Hz，最多允许 {limit_hz:g} Hz",
        "在电源频率稳定时测量。",
    ),
    "slip_too_small": Sentence(f"{_SLIP}太小：断条只在带载时显现", "在更高负载下测量。"),
    "slip_possibly_too_small": Sentence(
        "转差率可能太小，至少为 {slip:.2%}（{slip_source!w}）：断条只在带载时显现",
        "在更高负载下测量，或发送 speed_rpm。",
    ),
    "record_too_short_for_slip": Sentence(
        f"记录长 {{duration_s:.3g}} s，{_SLIP}时至少需要 {{needed_s:.0f}} s",
        "连续发送更长的记录，或在更高负载下测量。",
    ),
    "record_too_short_for_least_slip": Sentence(
        "记录长 {duration_s:.3g} s，转差率可能低至 {slip:.2%}（{slip_source!w}），"
        "至少需要 {needed_s:.0f} s",
        "连续发送更长的记录，在更高负载下测量，或发送 speed_rpm。",
    ),
    # Searched, undecided.
    "noise_hides_sidebands": Sentence(
        "噪声掩盖了低于 {detectable_dbc:.1f} dBc 的边带，而故障的边带自 {needed_dbc:.0f} dBc 起",
        _LESS_NOISE,
    ),
    "sidebands_in_noise": Sentence(
        f"{_LINES}：在 {{floor_dbc:.0f}} dBc 的噪声中，它可能属于完好的转子笼，"
        "也可能强达 {upper_bound_dbc:.1f} dBc",
        _LESS_NOISE,
    ),
    "sidebands_in_voltage": Sentence(
        f"{_LINES}，电压中也有相应谱线：电源或变频器对电机有调制",
        "在另一电源下测量，或关闭转速控制后测量。",
    ),
    "sidebands_are_harmonics": Sentence(
        f"{_LINES}，且一半距离处有 {{half_dbc:.1f}} dBc 的谱线，转子笼在此处不产生谱线："
        "变频器的控制或负载在摆动",
        "关闭转速控制后测量，或在另一转速下测量。",
    ),
    "load_oscillation_or_broken_bars": Sentence(
        f"{_LINES}：{{distance_hz:.2f}} Hz 的负载波动或断条，"
        "其幅值与相位同步变化，与负载引起的变化一致",
        "在另一负载或转速下测量：断条的边带随转差率移动；增加电压通道。",
    ),
    "load_multiple_or_broken_bars": Sentence(
        f"{_LINES}：负载变化很大，其频率的倍频可能落在此处，也可能是断条",
        "在负载更稳定时测量。",
    ),
    "line_does_not_follow_slip": Sentence(
        f"{_LINES}：转差率由 {{lowest_slip:.2%}} 变到 {{highest_slip:.2%}} 时，"
        "边带不动，或只是碰巧跟随：负载波动、电源或断条",
        "在负载稳定时或变化更大时测量。",
    ),
    "supply_flicker_or_broken_bars": Sentence(
        f"{_LINES}：幅值与相位的调制关系与电源闪变一致，且无法排除电源原因",
        "增加电压通道；转差率为估计值时，发送 speed_rpm，或在铭牌中填写 rotor_bars。",
    ),
    "load_oscillation_hides_sidebands": Sentence(
        "{line_hz:.2f} Hz 的负载波动掩盖了 {distance_hz:.2f} Hz 处"
        "（两倍转差频率，{slip_source!w}）的故障特征",
        "在负载稳定时测量。",
    ),
    "line_at_another_slip": Sentence(
        "距电源基波 {line_hz:.2f} Hz 处有 {level_dbc:.1f} dBc 的谱线，非负载引起，"
        f"也不在{_SLIP}对应的 {{distance_hz:.2f}} Hz 处：转速若有误则为断条，否则为电源的间谐波",
        "核对所发送的转速；查找同一电源上的变流器。",
    ),
    "line_outside_estimated_slip": Sentence(
        "距电源基波 {line_hz:.2f} Hz 处有 {level_dbc:.1f} dBc 的谱线，"
        "不在由铭牌估计的 {low_hz:.2f} 至 {high_hz:.2f} Hz 内：负载波动，或另一转差率下的断条",
        _MORE_SPEED,
    ),
    # Normal.
    "no_sidebands": Sentence(
        f"{_SLIP}时，两倍转差频率处没有边带；若有 {{detectable_dbc:.0f}} dBc 的边带则可检出",
        "",
    ),
    "sidebands_of_sound_rotor_cage": Sentence(
        f"{_LINES}：低于 {{limit_dbc:.0f}} dBc，属于完好的转子笼", ""
    ),
    "load_oscillation": Sentence(
        "谱线距电源基波 {line_hz:.2f} Hz，不在两倍转差频率 {distance_hz:.2f} Hz 处"
        "（{slip_source!w}）：负载在波动",
        "",
    ),
    "sidebands_as_baseline": Sentence(f"{_LINES}：没有高于基线的 {{baseline_dbc:.1f}} dBc", ""),
    # Found.
    "rotor_asymmetry": Sentence(
        f"转子不对称：{_LINES}，{_SLIP}",
        "观察电平是否上升；达到故障时，检查转子导条和端环。",
    ),
    "rotor_asymmetry_as_baseline": Sentence(
        f"转子不对称：{_LINES}，没有高于基线的 {{baseline_dbc:.1f}} dBc",
        "检查转子导条和端环：学习基线时其状况就已如此。",
    ),
    # Doubts.
    "level_in_noise": Sentence("电平受噪声影响，不确定度为 {deviation_db:.1f} dB", _LESS_NOISE),
    "slip_not_measured": Sentence(
        "转差率由铭牌估计，因此两倍转差频率并不确知",
        _MORE_SPEED,
    ),
    "flicker_not_excluded": Sentence(
        "不能排除电源在该频率上的闪变，因此报警需要八倍的记录",
        "增加电压通道。",
    ),
    # In a start.
    "rotor_asymmetry_in_start": Sentence(
        "起动过程中下边带从电源频率扫到 0，电平为相对电源基波 {level_db:.1f} "
        "dB：转子笼各导条相差至少 {least_share:.1%}",
        "请检查转子导条和端环；并用带载稳态运行的记录进行诊断。",
    ),
    "start_sideband_weak": Sentence(
        "起动过程中有下边带扫过，电平 {level_db:.1f} dB：低于 "
        "{limit_db:.0f} dB 时不能排除转子笼完好",
        "请用带载稳态运行的记录进行诊断；并与其他起动的电平比较。",
    ),
    "start_sideband_not_found": Sentence(
        "起动过程中没有下边带扫过；仅凭一次起动不能排除断条",
        "请用带载稳态运行的记录进行诊断。",
    ),
    "start_sideband_needs_three_currents": Sentence(
        "起动的下边带需要三相电流",
        "请发送 ia、ib 和 ic。",
    ),
    "start_sideband_needs_grid": Sentence(
        "起动的下边带只能在恒定的电源频率下搜索",
        "请用带载稳态运行的记录进行诊断。",
    ),
    "start_too_short_for_sideband": Sentence(
        "起动只剩 {duration_s:.2g} s 可供搜索下边带，至少需要 {needed_s:g} s",
        "请用带载稳态运行的记录进行诊断。",
    ),
}
