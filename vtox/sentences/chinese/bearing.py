"""Sentences of the reasons of `bearing`."""

from vtox.sentences.sentence import Sentence

_SPEED = "{speed_rpm:.0f} rpm（{speed_source!w}）"
_BAND = "{channel} 的 {band_low_hz:.0f} 至 {band_high_hz:.0f} Hz 频带"
_LONGER = "发送更长的窗口，使谱线分开。"
_LONGER_OR_OTHER_SPEED = "发送更长的窗口，使谱线分开；若受电源谱线妨碍，则在另一转速下记录。"
_NO_GAPS = "连续发送窗口；若记录已完整，则发送更长的窗口。"
_SEND_SPEED = "发送 speed_rpm 或电流。"
_SHAFT = "{channel} 中转频各次谱线有效值 {velocity_mm_s:.1f} mm/s，其中一倍频 {once_mm_s:.1f} mm/s"

SENTENCES: dict[str, Sentence] = {
    # Not searched.
    "no_vibration_channel": Sentence(
        "没有振动通道：轴承损伤在电流中的谱线弱于负载的谱线，电流既不能证实也不能排除轴承损伤",
        "在轴承处安装加速度传感器，并以 vibration 通道发送其采样。",
    ),
    "no_bearing_geometry": Sentence(
        "铭牌没有轴承的故障阶次或几何参数",
        "在铭牌中填写 bearing.orders，或轴承的几何参数。",
    ),
    "no_speed": Sentence(
        "轴转速未知：没有测量值，铭牌也不能限定其范围",
        "发送 speed_rpm 或电流，或在铭牌中填写额定转速。",
    ),
    "no_speed_on_inverter": Sentence(
        "轴转速未知：没有测量值，变频供电时铭牌也不能限定其范围", _SEND_SPEED
    ),
    "speed_too_uncertain": Sentence(
        f"轴转速 {_SPEED}的不确定度为 {{tolerance:.1%}}，须不大于 {{largest_tolerance:.0%}}",
        "发送 speed_rpm 或电流，或更正铭牌的额定转速。",
    ),
    "shaft_at_rest": Sentence(
        "轴静止：{speed_rpm:g} rpm",
        "在电机运行时记录；若电机在运行，请检查转速传感器。",
    ),
    "too_few_turns": Sentence(
        "{duration_s:.3g} s 的记录在 {speed_rpm:.0f} rpm 下只有 {turns:.0f} 转，"
        "至少需要 {needed_turns} 转",
        _NO_GAPS,
    ),
    "vibration_rate_too_low": Sentence(
        "振动采样率为 {fs_hz:g} Hz，故障频率 {highest_hz:.0f} Hz 至少需要 {needed_hz:.0f} Hz",
        "振动采样率须不低于上述数值。",
    ),
    "shaft_speed_changes": Sentence(
        "记录内轴转速由 {first_rpm:.0f} 变到 {last_rpm:.0f} rpm",
        "在转速稳定时记录。",
    ),
    # Searched, undecided.
    "lines_at_masked_orders": Sentence(
        f"{{defects!w}}的谱线位置上有谱线，而在 {_SPEED}下轴或电源的谱线也可能在此",
        _LONGER_OR_OTHER_SPEED,
    ),
    "shaft_or_bearing": Sentence(
        f"谱线既符合 {_SPEED}下{{defects!w}}的损伤，也符合 {{shaft_lines_rpm:.0f}} rpm"
        "（由轴的谱线得出）下叶片或联轴器每转 {impacts_per_turn!w} 次的冲击",
        "测量该记录当时的转速；给定值或额定转速不够准确。",
    ),
    "unassigned_impacts": Sentence(
        "每转 {order:.3f} 次的周期性冲击（{speed_rpm:.0f} rpm 下为 {repetition_hz:.1f} Hz），"
        "调制 {modulation_db:z.0f} dB，不符合已给出的任何故障阶次：来自其他部件"
        "（齿轮、皮带、被驱动机械），或阶次、转速不同的损伤轴承",
        "核对铭牌中的轴承和转速；检查齿轮、皮带和相邻设备。",
    ),
    "aperiodic_impacts": Sentence(
        f"冲击没有稳定的重复频率：{_BAND}的包络不规则变化，幅度为其均值的 {{modulation:.0%}}，"
        "可能是转速变化时的轴承损伤、汽蚀或放电",
        "在转速稳定时记录；检查有无汽蚀，以及变频器引起的放电。",
    ),
    "weak_bearing_cage_lines": Sentence(
        "保持架频率处有弱谱线（{repetition_hz:.1f} Hz，调制 {modulation_db:z.0f} dB，"
        "为阈值的 {ratio:.1f} 倍），其他故障阶次没有：可能是保持架，"
        "或转速为 {order:.3f} 倍的较慢的轴、齿轮或皮带，或轴承完好",
        "观察谱线是否增长；查明是否有轴、齿轮或皮带以此速度旋转。",
    ),
    "weak_defect_lines": Sentence(
        "{defect!w}的阶次处有弱谱线（{repetition_hz:.1f} Hz，"
        "{band_low_hz:.0f} 至 {band_high_hz:.0f} Hz 频带内调制 {modulation_db:z.0f} dB，"
        "为阈值的 {ratio:.1f} 倍）：完好的滚动体经过承载区时也产生这种谱线，"
        "轴不平衡或不对中时尤其明显",
        "观察谱线是否增长；对轴做动平衡和对中。",
    ),
    "supply_or_bearing": Sentence(
        f"{_BAND}中，电源频率 {{supply_hz:.2f}} Hz 倍频处的谱线强于{{defect!w}}的谱线"
        "（{repetition_hz:.1f} Hz，为阈值的 {ratio:.1f} 倍）："
        "受轴调制的电源脉动或电磁拉力也有这种谱线",
        "检查加速度传感器的电缆、接地和安装；在另一转速下记录。",
    ),
    "smeared_defect_lines": Sentence(
        f"{_SPEED}下，{{defect!w}}的阶次 {{order:.3f}} 及其倍频附近的能量展宽 {{smear:.0%}}，"
        "调制 {modulation_db:z.0f} dB，如同记录内转速变化时的损伤：单个转速读数不能证明转速稳定",
        "在转速稳定时记录；若转速变化，轴须有清晰的谱线才能跟踪。",
    ),
    "slower_shaft_or_bearing_cage": Sentence(
        "保持架频率处有谱线（{repetition_hz:.2f} Hz，调制 {modulation_db:z.0f} dB，"
        "为阈值的 {ratio:.1f} 倍），滚道和滚动体的阶次处没有："
        "可能是转速为 {order:.3f} 倍的轴、齿轮、链条或皮带，也可能是保持架",
        "查明是否有轴、齿轮、链条或皮带以该转速转动；若没有，检查滚动体和保持架。",
    ),
    "another_machine_or_bearing": Sentence(
        "{defect!w}的阶次附近有包络谱线梳（{repetition_hz:.1f} Hz，调制 {modulation_db:z.0f} dB，"
        "为阈值的 {ratio:.1f} 倍），但没有该部件损伤应有的特征：载荷产生的边带，"
        "或在另一根轴振动更大时与其阶次相符："
        "可能是重复频率相同的其他轴承、齿轮或机器的冲击，也可能是载荷随其转动的部件",
        "查找以此频率重复的其他轴承、齿轮和机器；在另一转速下记录，或把加速度计装得离轴承更近。",
    ),
    "looseness_or_bearing": Sentence(
        "存在半倍转频阶次的谱线（松动或碰摩），{defect!w}在阶次 {order:.3f} 的谱线也在其中",
        "检查底脚、轴承座和端盖；在另一转速下记录，使谱线分开。",
    ),
    # Normal.
    "no_defect_comb": Sentence(
        f"{_SPEED}下各故障阶次没有梳状谱线：最高的是{{defect!w}}，为其阈值的 {{ratio:.2f}} 倍",
        "",
    ),
    # Found.
    "bearing_defect": Sentence(
        f"{{defect!w}}：{_BAND}的包络在 {{repetition_hz:.1f}} Hz 处有梳状谱线，"
        f"为阈值的 {{ratio:.1f}} 倍，调制 {{modulation_db:z.0f}} dB，转速 {_SPEED}",
        "检查轴承；置信度达到 0.5 时，才可依据所指的部位。",
    ),
    "element_or_bearing_cage": Sentence(
        f"滚动体或保持架：{_BAND}的包络在保持架频率 {{repetition_hz:.1f}} Hz 处有梳状谱线，"
        f"为阈值的 {{ratio:.1f}} 倍，调制 {{modulation_db:z.0f}} dB，转速 {_SPEED}",
        "检查滚动体和保持架。",
    ),
    # Doubts.
    "no_impacts": Sentence(
        "除轴的谱线外，没有周期成分超过阈值",
        "在铭牌中填写轴承，以便搜索其故障阶次。",
    ),
    "weak_unassigned_impacts": Sentence(
        "每转 {order:.3f} 次的弱周期性冲击（{speed_rpm:.0f} rpm 下为 {repetition_hz:.1f} Hz），"
        "调制 {modulation_db:z.0f} dB，不符合已给出的任何故障阶次",
        "观察其是否增长。",
    ),
    "impacts_near_shaft_order": Sentence(
        "每转 {order:.3f} 次的周期性冲击（{speed_rpm:.0f} rpm 下为 {repetition_hz:.1f} Hz），"
        "调制 {modulation_db:z.0f} dB，可能来自轴",
        "测量转速；检查风扇、联轴器和底脚。",
    ),
    "unbalance_lines": Sentence(
        f"{_SHAFT}，为转子不平衡或轴弯曲的特征",
        "检查转子、风扇和联轴器的平衡与跳动。",
    ),
    "misalignment_lines": Sentence(
        f"{_SHAFT}，高次倍频较强（最强为 {{order:g}} 倍频），为不对中、联轴器或叶片的特征",
        "检查对中、联轴器和风扇。",
    ),
    "looseness_lines": Sentence(
        f"{_SHAFT}，并有半倍频谱线，为松动或碰摩的特征",
        "检查底脚、轴承座和端盖。",
    ),
    "other_defect_comb": Sentence(
        "还发现{defect!w}的梳状谱线，为阈值的 {ratio:.1f} 倍",
        "同时检查该部位。",
    ),
    "orders_masked": Sentence(
        "{defects!w}的谱线可能被轴或电源的谱线掩盖",
        _LONGER_OR_OTHER_SPEED,
    ),
    "blades_or_coupling": Sentence(
        "叶片或联轴器每转 {impacts_per_turn} 次的冲击也符合",
        "检查风扇和联轴器；在另一转速下记录，或测量转速。",
    ),
    "speed_uncertain": Sentence("转速不确定度为 {tolerance:.1%}，因此搜索范围较宽", _SEND_SPEED),
    "supply_frequency_unknown": Sentence(
        "电源频率未知，其两倍频也可能落在{defect!w}的阶次处",
        "发送一相电流，以便测出电源频率。",
    ),
    "bearing_cage_not_searched": Sentence(
        "不足 {needed_turns} 转时不搜索保持架",
        _NO_GAPS,
    ),
    "elements_lag": Sentence(
        "滚动体比运动学计算值慢 {lag:.1%}，如同轻载时；与之相符的是：{defects!w}",
        "在负载下记录，或核对转速和铭牌中的轴承。",
    ),
    "element_sidebands": Sentence(
        "滚动体的边带出现在轴的谱线周围，而这些轴的谱线掩盖了滚动体自身的谱线",
        _LONGER,
    ),
}
