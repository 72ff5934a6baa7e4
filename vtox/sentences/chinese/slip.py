"""Sentences of the reasons why the slip is not known, or not by the speed that was sent."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "pole_pairs_unknown": Sentence(
        "转差率未知：铭牌和转速都没有给出极对数",
        "在铭牌中填写 pole_pairs 和 rated_speed_rpm，或发送 speed_rpm。",
    ),
    "rated_speed_unknown": Sentence(
        "转差率未知：没有测得的转速，铭牌也没有额定转速",
        "发送 speed_rpm，或在铭牌中填写 rated_speed_rpm。",
    ),
    "slip_from_rated_power": Sentence(
        "没有测得的转速，铭牌也没有额定转速：转差率取 {rated_power_w:.0f} W 电机在此负载下的可能值",
        "发送 speed_rpm，或在铭牌中填写 rated_speed_rpm 或 rotor_bars。",
    ),
    "rated_supply_unknown": Sentence(
        "转差率未知：没有测得的转速，铭牌也没有说明额定转速 {rated_speed_rpm:g} rpm 对应的电源频率",
        "发送 speed_rpm，或在铭牌中填写 supply_hz。",
    ),
    "rated_speed_implausible": Sentence(
        "转差率未知：没有测得的转速，而额定转速 {rated_speed_rpm:g} rpm 不符合"
        "极对数 {pole_pairs}、{supply_hz:g} Hz 的带载电机",
        "更正铭牌的 rated_speed_rpm、pole_pairs 或 supply_hz，或发送 speed_rpm。",
    ),
    "slip_sources_disagree": Sentence(
        "转差率未知：{slip_source!w}给出 {slip:.2%}，"
        "而{other_source!w}给出 {other_low:.2%} 至 {other_high:.2%}",
        "在轴上测量转速；更正 speed_rpm，或铭牌的 rotor_bars、rated_speed_rpm 和 rated_current_a。",
    ),
    "speed_implausible": Sentence(
        "转速 {speed_rpm:g} rpm 不符合 {f0_hz:.2f} Hz 电源和极对数 {pole_pairs}",
        "检查转速传感器，以及铭牌的 pole_pairs。",
    ),
    "speed_copied_from_nameplate": Sentence(
        "转速 {speed_rpm:g} rpm 是铭牌的额定转速，不是此负载下的测量值",
        "发送测得的转速；没有测量值就不要发送。",
    ),
}
