"""Sentences of what is wrong with the wiring or the nameplate of a machine."""

from vtox.sentences.sentence import Sentence

_CONSENT = "然后更正接线，或采用建议的通道映射。"

SENTENCES: dict[str, Sentence] = {
    "channels_swapped": Sentence(
        "通道 {channels!w} 互换，或这两相的电压互换",
        f"核对每个电流钳所在的相，{_CONSENT}",
    ),
    "channels_turned": Sentence(
        "电流相对电压错位一相：a、b、c 相依次以 {channels!w} 发送",
        f"核对每个电流钳所在的相，{_CONSENT}",
    ),
    "channel_reversed": Sentence(
        "通道 {channel} 方向相反",
        f"检查电流钳上的箭头及其两根引线，{_CONSENT}",
    ),
    "channel_ratio_differs": Sentence(
        "通道 {channel} 是另外两个同类通道所要求数值的 {ratio:.3g} 倍",
        f"检查该通道的变比、匝数和单位，{_CONSENT}",
    ),
    "channels_carry_one_signal": Sentence(
        "通道 {channels!w} 的信号相同",
        "将其中一个移到缺少的那一相。",
    ),
    "channel_not_connected": Sentence(
        "通道 {channel} 没有电源信号，而另外两个通道有",
        "合上电流钳，或接好该通道。",
    ),
    "phase_orders_differ": Sentence(
        "电流与电压的相序相反，在此负载下无法判断是哪两个通道互换",
        "核对每个通道所在的相，或在另一负载下再看。",
    ),
    "voltages_of_another_supply": Sentence(
        "电压与电流之间的角度不稳定（相干度 {coherence_ratio:.0%}）：电压来自另一电源",
        "在本机的接线端子上测量电压。",
    ),
    "pole_pairs_off_rated_speed": Sentence(
        "{rated_speed_rpm:g} rpm 不是极对数 {pole_pairs}、{supply_hz:g} Hz 电机的额定转速",
        "更正铭牌的 pole_pairs（极数的一半）或 rated_speed_rpm。",
    ),
}
