"""Sentences of the reasons of `insulation`."""

from vtox.sentences.sentence import Sentence

_CAPACITANCE = "对地电容 {capacitance_nanofarad:.3g} nF"
_LEAKAGE = "负载为 {load_a:.3g} A 时，泄漏电流达 {leakage_a:.3g} A"
_DC = "电压没有零序分量：请定期在停机时做直流试验。"

SENTENCES: dict[str, Sentence] = {
    "insulation_sound": Sentence(
        "对地电阻不低于 {resistance_megohm:.3g} Mohm（{capacitance_nanofarad:.3g} nF）", ""
    ),
    "winding_leaks": Sentence(
        "对地电阻 {resistance_megohm:.2g} Mohm，低于 {limit_megohm:g} Mohm",
        "停机后对绝缘做直流试验；干燥或清洁绕组。",
    ),
    "phase_leaks": Sentence(
        "{phase} 相对地电阻 {resistance_megohm:.2g} Mohm，低于 {limit_megohm:g} Mohm",
        "停机后对该相绝缘做直流试验；干燥或清洁绕组。",
    ),
    "winding_capacitance_changed": Sentence(
        f"{_CAPACITANCE}，比基线变化 {{change_nanofarad:+.2g}} nF",
        "受潮使其增大，绝缘分层使其减小：停机后试验。",
    ),
    "phase_capacitance_changed": Sentence(
        f"{_CAPACITANCE}，其中 {{phase}} 相比基线变化 {{change_nanofarad:+.2g}} nF",
        "受潮使其增大，绝缘分层使其减小：停机后对该相试验。",
    ),
    "leakage_too_noisy": Sentence(
        "噪声使 {possible_megohm:.2g} Mohm 的对地电阻无法排除，须能确认不低于 "
        "{needed_megohm:g} Mohm",
        "换用更好的互感器或量程；检查相邻设备的干扰。",
    ),
    "no_phase_leaks": Sentence("没有一相的泄漏比其他相多 {possible_microsiemens:.2g} uS", _DC),
    "leakage_as_large_as_phase_current": Sentence(
        f"{_LEAKAGE}：与一相电流相当",
        "让三相导线穿过同一互感器；检查 leakage 的比例和单位。",
    ),
    "leakage_larger_than_earth_fault": Sentence(
        f"{_LEAKAGE}，而对地电压平衡：绕组承受这样的电流很快就会烧毁",
        "检查 leakage 的比例和单位；若无误，立即停机：接地故障。",
    ),
    "leakage_implausible": Sentence(
        f"{_CAPACITANCE}，任何绕组及其电缆都不会有这样的数值",
        "检查 leakage 和电压的比例与单位。",
    ),
    "leakage_reversed": Sentence(
        f"{_CAPACITANCE}：泄漏电流互感器或电压接反",
        "将其中之一反接。",
    ),
    "voltages_to_earth_needed": Sentence(
        "泄漏电流的分析需要 va、vb、vc 对地电压", "测量各相对地电压。"
    ),
    "temperature_unknown": Sentence(
        "温度未知，电阻未折算到 40 C",
        "发送 temperature_c：绕组较热时，电阻看起来比 40 C 时差。",
    ),
    "equal_loss_not_excluded": Sentence("三相同等的泄漏无法显现", _DC),
}
