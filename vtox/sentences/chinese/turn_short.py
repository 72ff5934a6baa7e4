"""Sentences of the reasons of `turn_short`."""

from vtox.sentences.sentence import Sentence

_EXCESS = "负序电流超出健康电机 I1 的 {excess_ratio:.1%}（{basis!w}）"
_AT_ONCE = "立即检查电流钳和熔断器。"
_SHORT = "基线不能排除正在发展的匝间短路"

SENTENCES: dict[str, Sentence] = {
    "asymmetry_within_limit": Sentence(
        "负序电流超出健康电机 I1 的 {corrected_ratio:.1%}，在限值 {limit_ratio:.1%} 以内"
        "（{basis!w}）",
        "",
    ),
    "turn_short_found": Sentence(
        f"{{phase}} 相匝间短路：{_EXCESS}",
        "对该相绕组做试验（电阻、匝间冲击试验）；达到故障时停机。",
    ),
    "asymmetry_found": Sentence(
        f"{{phase}} 相不对称（匝间短路、电源或接头）：{_EXCESS}",
        "与同一电源的相邻电机比较，测量接头；有电压通道即可判定。",
    ),
    "joint_not_excluded": Sentence(
        "{phase} 相的高阻接头也呈现同样的特征",
        "拆检绕组之前，先用热像仪检查该相接线端子。",
    ),
    "part_of_record": Sentence(
        "占记录的 {record_share:.0%}，在 {start_s:.2f} 与 {end_s:.2f} s 之间",
        "将这些时间与负载及同一电源上的投切对照。",
    ),
    "clamp_changed": Sentence(
        "三相电流之和不再为零：{phase} 相电流钳读数偏差 {gain_change_ratio:+.1%}，或有对地电流",
        "先检查该电流钳，再检查对地绝缘。",
    ),
    "clamp_of_two_not_excluded": Sentence(
        "第三相电流由另两相算得：一只电流钳的增益偏差 {gain_change_ratio:.1%} 也会使电流如此变化",
        "测量全部三相电流；检查这两只电流钳。",
    ),
    "phases_renamed": Sentence(
        "电压须转 {turned_deg:g} 度才与电流对应，而学习基线时为 {learnt_deg:g} 度：此后通道被调换",
        "将电流钳和电压线恢复原位，或重新学习基线。",
    ),
    "current_scale_changed": Sentence(
        "在此电压下无功电流为基线的 {susceptance_ratio:.2f} 倍，超出负载所能引起的变化："
        "电流钳或电压的变比已改变",
        "检查电流钳和电压的变比；若现在的变比正确，请重新学习基线。",
    ),
    "currents_do_not_sum_to_zero": Sentence(
        "三相电流之和不为零：|I0|/I1 为 {zero_sequence_ratio:.0%}，电流钳缺失或夹在其他回路上",
        _AT_ONCE,
    ),
    "phase_open": Sentence(
        "|I2|/I1 为 {negative_sequence_ratio:.0%}：一相断开，或电流钳夹在其他回路上",
        _AT_ONCE,
    ),
    "asymmetry_not_steady": Sentence(
        "记录内负序电流在变化：其限值为 I1 的 {limit_ratio:.0%}，不能排除正在发展的匝间短路",
        "在负载稳定时测量。",
    ),
    "voltage_unbalance_too_large": Sentence(
        "电压不平衡度 {unbalance_ratio:.1%} 过大，无法修正，最多允许 {limit_ratio:.1%}",
        "整治电源。",
    ),
    "baseline_of_earlier_version": Sentence(
        "基线来自旧版本，没有电源频率",
        "重新学习基线。",
    ),
    "baseline_needs_voltages": Sentence(
        "基线是带电压学习的，而此处没有电压",
        "发送电压，或只用电流学习基线。",
    ),
    "supply_and_clamps_not_excluded": Sentence(
        "仅凭 |I2|/I1 为 {ratio:.1%} 不能判定，电源和电流钳最多可造成 {limit_ratio:.0%}",
        "学习基线；增加电压通道。",
    ),
    "rated_current_unknown": Sentence(
        "没有额定电流，负载未知",
        "补全铭牌：rated_current_a，或 rated_power_w 和 rated_voltage_v。",
    ),
    "supply_not_excluded": Sentence(
        f"{_SHORT}：仅电源就可能造成 I1 的 {{limit_ratio:.0%}}",
        "增加电压通道：电源在变化，或负载较轻。",
    ),
    "baseline_too_uncertain": Sentence(
        f"{_SHORT}：其限值为 I1 的 {{limit_ratio:.0%}}",
        "在负载稳定时用更长的记录重新学习基线。",
    ),
}
