"""Sentences of the reasons that any fault may give, and words for identifiers in values."""

from vtox.sentences.sentence import Sentence

_SENSOR = "检查传感器、电缆和模数转换器。"
_NO_GAPS = "连续发送窗口，以便拼接成更长的记录。"
_PAIRING = "检查电压与电流的对应关系"
_ANGLE = "功率因数角 {power_factor_angle_deg:.0f} deg"

SENTENCES: dict[str, Sentence] = {
    "no_current": Sentence("没有电流通道", "发送 ia、ib 和 ic。"),
    "missing_channel": Sentence("缺少通道：{channels!w}", "发送缺少的通道。"),
    "load_too_low": Sentence(
        "负载为 {load_a:.3g} A，至少需要 {needed_a:.3g} A", "在更高负载下测量。"
    ),
    "no_baseline": Sentence("没有基线", "用健康状态的录波学习基线。"),
    "baseline_of_other_channels": Sentence(
        "基线是在通道映射更改之前学习的",
        "无需操作：将从数据流重新学习；没有铭牌时，请用录波学习，或恢复原来的映射。",
    ),
    "no_baseline_at_load": Sentence("此负载（{load_a:.3g} A）下没有基线", "让其在此负载下学习。"),
    "no_baseline_at_frequency": Sentence(
        "电源频率 {f0_hz:.1f} Hz 下没有基线：基线在 {baseline_hz:.1f} Hz 学得",
        "让其在此频率下学习。",
    ),
    "current_not_steady": Sentence(
        "记录内电流在 {low_a:.3g} 与 {high_a:.3g} A 之间变化",
        "在负载稳定时测量。",
    ),
    "inverter_without_voltages": Sentence("变频供电而没有电压通道", "增加三相电压。"),
    "too_few_samples": Sentence(
        "{channel}：只有 {samples} 个采样，至少需要 {needed_samples} 个",
        "连续发送更长的窗口。",
    ),
    "impossible_rate": Sentence("采样率 {fs_hz:g} Hz 不可能", "更正发送端的 fs_hz。"),
    "samples_missing": Sentence(
        "{channel}：{samples} 个采样中有 {missing_samples} 个缺失（非有限值），"
        "第一个在 {first_s:.3f} s 处",
        _SENSOR,
    ),
    "samples_repeat": Sentence(
        "{channel}：采样缺失，同一数值重复 {repeat_s:g} s 以上，首次约在记录的 {first_s:.2f} s 处",
        "检查传感器、电缆和模数转换器；查明采集器何处丢失采样。",
    ),
    "samples_stuck": Sentence(
        "{channel}：采样停滞，标称采样率为 {fs_hz:g} Hz，每秒只有 {new_hz:.0f} 个新值",
        "按采集器的实际采样率发送。",
    ),
    "samples_rest": Sentence("{channel}：记录的 {share:.0%} 停在同一数值", _SENSOR),
    "samples_constant": Sentence("{channel}：所有采样相等（停滞或未连接）", _SENSOR),
    "impossible_values": Sentence(
        "{channel}：数值不可能，最大达 {largest:.3g}",
        "检查该通道的比例和单位。",
    ),
    "clipped": Sentence(
        "{channel}：削顶，{share_high:.1%} 的采样在 {high:.4g}，{share_low:.1%} 在 {low:.4g}",
        "增大模数转换器的量程。",
    ),
    "converter_resolution": Sentence(
        "{channel}：幅值只有转换器的 {steps:.0f} 个量化级，至少需要 {needed_steps} 个，"
        "即再增加 {more_bits} 位：故障引起的变化小于一个量化级",
        "使用位数更多的转换器，或与电流相配的量程。",
    ),
    "converter_bit_stuck": Sentence(
        "{channel}：转换器的第 {bit} 位从不变化，幅值只剩 {steps:.0f} 个量化级，"
        "至少需要 {needed_steps} 个",
        "更换转换器，或修正其采样的读取方式。",
    ),
    "rate_too_low": Sentence(
        "采样率为 {fs_hz:g} Hz，至少需要 {needed_hz:g} Hz",
        "电流采样率须不低于 400 Hz。",
    ),
    "record_too_short": Sentence(
        "记录长 {duration_s:.3g} s，至少需要 {needed_s:g} s",
        _NO_GAPS,
    ),
    "too_few_cycles": Sentence(
        "{duration_s:.3g} s 的记录只有 {cycles:.1f} 个电源周期，至少需要 {needed_cycles} 个",
        "连续发送窗口；若记录已完整，则发送更长的窗口。",
    ),
    "supply_not_found": Sentence(
        "没有找到电源基波：最强的谱线 {line_hz:.2f} Hz 只占功率的 {power_share:.0%}",
        "检查该通道是否为相电流，以及电机是否运行。",
    ),
    "supply_off_nameplate": Sentence(
        "电源基波在 {f0_hz:.2f} Hz，而铭牌为 {supply_hz:g} Hz",
        "更正采样率或铭牌的 supply_hz。",
    ),
    "voltages_not_paired": Sentence(
        f"电压与电流不是同一相：{_ANGLE}",
        f"{_PAIRING}，以及每个电流钳的方向。",
    ),
    "voltages_not_paired_or_generating": Sentence(
        f"电压与电流不是同一相，或电机处于发电状态：{_ANGLE}",
        f"{_PAIRING}；发电状态的电机不能用电压诊断。",
    ),
    "voltages_between_lines": Sentence(
        "电压 {voltage_v:.0f} V 是额定 {rated_voltage_v:g} V 对应相电压的 "
        "{phase_voltage_ratio:.2f} 倍：测的是线电压，或额定值对应另一种接法",
        "测量相电压，或更正 rated_voltage_v。",
    ),
    "voltages_of_no_supply": Sentence(
        "V2 为 V1 的 {unbalance_ratio:.0%}，任何电源都不会如此不平衡："
        "有一相电压接反、比例不同或未连接",
        "检查 va、vb、vc 的方向、比例和连接。",
    ),
    "supply_phase_jumps": Sentence(
        "记录内电压相位跳变 {jump_deg:.3g} 度：采样缺失、重复或次序错乱，或电源发生了切换",
        "按顺序完整地发送窗口。",
    ),
    "switched_within_record": Sentence(
        "{duration_s:.1f} s 中有 {off_s:.1f} s 没有电流：电机在记录内启动或停机",
        "在电机运行时发送窗口。",
    ),
    "current_far_above_rated": Sentence(
        "电流 {load_a:.3g} A 远高于额定 {rated_a:g} A：电机正在启动、比例或单位有误，"
        "或铭牌不属于本机",
        "启动完成后测量；检查电流钳变比和 rated_current_a。",
    ),
    "current_far_below_rated": Sentence(
        "电流 {load_a:.3g} A 远低于额定 {rated_a:g} A 电机的空载电流",
        "检查电机是否运行、电流钳变比和 rated_current_a。",
    ),
    "voltage_off_nameplate": Sentence(
        "相电压 {voltage_v:.3g} V 与额定 {rated_voltage_v:g} V 不符",
        "检查电压的变比和单位，以及 rated_voltage_v。",
    ),
    "channel_scale_differs": Sentence(
        "{channel} 是同类下一通道的 {ratio:.3g} 倍",
        "检查该通道的比例和单位。",
    ),
}

# Identifiers that stand in the values of reasons (channels, sources, defects) -> their words.
WORDS: dict[str, str] = {
    # Features of a baseline.
    "bearing.vibration_db": "振动",
    "eccentricity.lower_dbc": "转频下边带",
    "eccentricity.upper_dbc": "转频上边带",
    "broken_bar.lower_dbc": "两倍转差频率下边带",
    "broken_bar.upper_dbc": "两倍转差频率上边带",
    # What a level is relative to, and one that has no line.
    "statistic": "判定统计量",
    "over_chance": "dB（相对偶然水平）",
    "over_limit": "dB（相对限值）",
    # Parts of a bearing.
    "BPFO": "轴承外圈（BPFO）",
    "BPFI": "轴承内圈（BPFI）",
    "BSF": "滚动体（BSF）",
    "FTF": "保持架（FTF）",
    # Sources of a shaft speed.
    "speed_sensor": "转速传感器",
    "current_slip": "由电流的转差率得出",
    "nameplate": "铭牌",
    "refined_by_shaft_lines": "由轴的谱线细化",
    "corrected_by_shaft_lines": "由轴的谱线修正",
    "tracked_by_shaft_line": "由轴的谱线跟踪",
    # Sources of a slip.
    "speed sensor": "转速传感器",
    "slot harmonics": "齿槽谐波",
    "rotor speed sidebands": "转频边带",
    "nameplate and load": "铭牌与负载",
    "rated power and load": "额定功率与负载",
    "none": "无",
    # What a diagnosis of turn shorts rests on.
    "voltage and baseline": "依据电压和基线",
    "voltage, no baseline": "依据电压，无基线",
    "currents and baseline": "依据电流和基线",
    "currents, no baseline": "依据电流，无基线",
    # What an inrush is a multiple of.
    "rated_current": "额定电流",
    "final_current": "最终电流",
}
