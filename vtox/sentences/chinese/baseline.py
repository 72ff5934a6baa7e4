"""Sentences of why a baseline is not extended by a further load."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "level_rises": Sentence(
        "{feature!w}比 {baseline_load_a:.3g} A 时的电平高 {rise_db:.1f} dB，"
        "随负载最多应变化 {limit_db:.1f} dB",
        "查找故障；若电机健康，请用各种负载下的录波学习基线。",
    ),
    "asymmetry_differs": Sentence(
        "{load_a:.3g} A 时负序电流与基线预期相差 I1 的 {difference_ratio:.1%}",
        "检查绕组、电流钳和电源；若电机健康，请用各种负载下的录波学习基线。",
    ),
    "supply_frequency_differs": Sentence(
        "转速不同：电源频率为 {f0_hz:.1f} Hz，基线在 {baseline_hz:.1f} Hz 学得",
        "在电机最常运行的频率下学习基线。",
    ),
}
